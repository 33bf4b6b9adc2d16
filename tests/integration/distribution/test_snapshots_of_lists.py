"""Snapshots as the register publishes them, from files to answers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from building import Register, tree
from ceir.distribution import SnapshotRequest, publish_snapshot
from ceir.distribution.publishing import KEPT, NoListsError, Published, SnapshotTooOldError
from ceir.equipment_check import EquipmentStatus, Reason
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot import open_snapshot
from ceir.equipment_check.snapshot.delta import read_delta
from ceir.errors import UsageError

KEY = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
KEYS = {key_id(KEY.public_key()): KEY.public_key()}
DAY = date(2026, 6, 15)
NOW = datetime(2026, 6, 16, 9, tzinfo=UTC)
P, T, B = EquipmentStatus.PERMITTED, EquipmentStatus.TRACKED, EquipmentStatus.BLOCKED

POLICY = """
name = "utopia"
version = 1
mode = "{mode}"

[country]
name = "Utopia"
country_codes = ["22"]

[[operators]]
id = "one"
name = "One"
plmns = ["111-01"]

[[operators]]
id = "two"
name = "Two"
plmns = ["111-02"]

[equipment_check]
{check}

[lists]
check_digit = {check_digit}
include_barred_in_exceptions = true

[conditions.stolen]
all = [{{ rule = "stolen_local" }}]
reason = "Stolen"
grace_days = 0
blocking = true
max_match_ratio = 1.0

[conditions.barred_tac]
all = [{{ rule = "tac_barred" }}]
reason = "Barred TAC"
grace_days = {tac_grace}
blocking = true
max_match_ratio = 1.0
first_seen_from = 2026-06-10

[conditions.barred_range]
all = [{{ rule = "imei_range_barred" }}]
reason = "Barred range"
grace_days = 30
blocking = true
max_match_ratio = 1.0

[conditions.malformed]
all = [{{ rule = "imei_malformed" }}]
reason = "Malformed"
grace_days = 0
blocking = true
max_match_ratio = 1.0
"""

STOLEN, STOLEN_PAIRED = 35000001000001, 35000001000002
OLD_TIMER, LATECOMER, GOLDEN_SEEN, GOLDEN_UNSEEN, UNSEEN = (35000002000000 + n for n in range(1, 6))
IN_RANGE_SEEN, IN_RANGE_UNSEEN = 35000003000010, 35000003000020
PLAIN = 35000004000001
HOME, AWAY = "111010000000001", "111020000000002"


def policy(
    *, mode: str = "permissive", check: str = "", tac_grace: int = 0, check_digit: bool = False
) -> str:
    return POLICY.format(mode=mode, check=check, tac_grace=tac_grace, check_digit=str(check_digit).lower())


def observed(imei: int | str, imsi: str = HOME, day: str = "20260612") -> str:
    return f"{day},{imei},{imsi},22{imsi[5:]},"


def register(root: Path, text: str) -> Register:
    """A country in which each way to be listed occurs once."""
    made = Register.make(root, text)
    rows = [
        observed(STOLEN), observed(STOLEN_PAIRED), observed(OLD_TIMER, day="20260601"), observed(LATECOMER),
        observed(GOLDEN_SEEN), observed(IN_RANGE_SEEN), observed(PLAIN), observed("12345"),
    ]  # fmt: skip
    made.take("observations", rows, DAY, operator="one")
    made.take("stolen", [f"{STOLEN},20260601,", f"{STOLEN_PAIRED},20260601,"], DAY)
    made.take("pairings", [f"{STOLEN_PAIRED},{HOME},", f"{STOLEN_PAIRED},{AWAY},"], DAY)
    made.take("barred-tacs", ["35000002"], DAY)
    made.take("barred-ranges", ["35000003000000,35000003000099"], DAY)
    made.take("golden", [str(GOLDEN_SEEN), md5(str(GOLDEN_UNSEEN).encode()).hexdigest()], DAY)  # noqa: S324
    made.take("software-versions", [f"{PLAIN},03,blocked", f"{PLAIN},04,tracked"], DAY)
    made.run(DAY)
    return made


def publish(made: Register, **asked: object) -> Published:
    engine = made.engine()
    try:
        request = SnapshotRequest(**({"now": NOW} | asked))  # type: ignore[arg-type]
        return publish_snapshot(made.workspace, request, KEY, engine)
    finally:
        engine.close()


def file_of(made: Register, published: Published) -> Path:
    assert published.record.path is not None
    return made.workspace.path(published.record.path)


def holder(made: Register, published: Published) -> SnapshotHolder:
    return SnapshotHolder.of_file(KEYS, file_of(made, published), NOW)


def imsi(digits: str) -> int:
    return int(f"1{digits}")


def test_every_kind_of_listing_is_answered_as_the_policy_says(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy(check='subscriber_ranges = [{ first = "001010000000000", '
                                           'last = "001010000000099", reason = "test SIMs" }]'))  # fmt: skip
    published = publish(made)
    ask = holder(made, published).verdict
    one, two = imsi(HOME), imsi(AWAY)
    cases: list[tuple[tuple[int | None, int | None, int | None], EquipmentStatus, Reason]] = [
        ((STOLEN, None, one), B, Reason.IDENTITY),
        ((STOLEN_PAIRED, None, one), P, Reason.PAIRED),
        ((STOLEN_PAIRED, None, two), P, Reason.PAIRED),
        ((STOLEN_PAIRED, None, imsi("111010000000009")), B, Reason.IDENTITY),
        ((STOLEN, None, imsi("001010000000050")), P, Reason.SUBSCRIBER_RANGE),
        # a barred TAC: who came late is blocked by name, who was never seen by the TAC, the others are spared
        ((LATECOMER, None, one), B, Reason.IDENTITY),
        ((UNSEEN, None, one), B, Reason.RANGE),
        ((OLD_TIMER, None, one), P, Reason.IDENTITY),
        ((GOLDEN_SEEN, None, one), P, Reason.IDENTITY),
        ((GOLDEN_UNSEEN, None, one), P, Reason.IDENTITY),
        # a barred range with grace: nobody is cut on the first day
        ((IN_RANGE_SEEN, None, one), T, Reason.IDENTITY),
        ((IN_RANGE_UNSEEN, None, one), T, Reason.RANGE),
        ((35000003000100, None, one), P, Reason.DEFAULT),
        ((PLAIN, 3, one), B, Reason.SOFTWARE_VERSION),
        ((PLAIN, 4, one), T, Reason.SOFTWARE_VERSION),
        ((PLAIN, 5, one), P, Reason.DEFAULT),
        ((None, None, one), P, Reason.MALFORMED),
    ]
    for question, status, reason in cases:
        answer = ask(*question)
        assert (answer.status, answer.reason) == (status, reason), question
    assert published.content is not None
    assert published.content.spared == 3
    assert published.content.malformed == {"blocked": 1}


def test_a_barred_tac_with_grace_cuts_nobody_who_was_never_seen(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy(tac_grace=14))
    answer = holder(made, publish(made)).verdict(UNSEEN, None, None)
    assert (answer.status, answer.reason) == (T, Reason.RANGE)


def test_check_digits_in_lists_change_no_answer(tmp_path: Path) -> None:
    plain = register(tmp_path / "a", policy())
    digits = register(tmp_path / "b", policy(check_digit=True))
    ask, also = holder(plain, publish(plain)).verdict, holder(digits, publish(digits)).verdict
    for imei in (STOLEN, STOLEN_PAIRED, LATECOMER, OLD_TIMER, GOLDEN_UNSEEN, UNSEEN, IN_RANGE_SEEN, PLAIN):
        assert ask(imei, None, imsi(HOME)) == also(imei, None, imsi(HOME)), imei


@pytest.mark.parametrize(
    ("mode", "check", "unlisted", "malformed"),
    [
        ("permissive", "", "permitted", "permitted"),
        ("restrictive", "", "tracked", "tracked"),
        ("restrictive", 'unlisted = "blocked"', "blocked", "blocked"),
        ("permissive", 'unlisted = "unknown"\nmalformed = "tracked"', "unknown", "tracked"),
    ],
)
def test_the_policy_decides_what_unlisted_and_malformed_equipment_is_answered(
    mode: str, check: str, unlisted: str, malformed: str, tmp_path: Path
) -> None:
    made = register(tmp_path / "w", policy(mode=mode, check=check))
    ask = holder(made, publish(made)).verdict
    assert ask(86000001000001, None, None).status.value == unlisted
    assert ask(None, None, None).status.value == malformed


def test_an_operators_snapshot_has_the_pairings_of_its_own_subscribers_only(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    ask = holder(made, publish(made, operator="one")).verdict
    assert ask(STOLEN_PAIRED, None, imsi(HOME)).status is P
    assert ask(STOLEN_PAIRED, None, imsi(AWAY)).status is B


def test_asked_again_it_gives_what_is_there_and_elsewhere_the_same_bytes(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    first = publish(made)
    before = tree(made.root)
    again = publish(made)
    assert (again.is_new, again.record) == (False, first.record)
    assert tree(made.root) == before
    other = register(tmp_path / "x", policy())
    assert file_of(other, publish(other)).read_bytes() == file_of(made, first).read_bytes()


def test_a_delta_brings_a_checker_to_the_answers_of_the_whole_snapshot(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    first = publish(made)
    checker = holder(made, first)
    made.take("stolen", [f"{PLAIN},20260615,", f"{STOLEN},20260601,recovered"], DAY + timedelta(days=1))
    made.take("pairings", [f"{PLAIN},{AWAY},"], DAY + timedelta(days=1))
    made.run(DAY + timedelta(days=1))
    second = publish(made)
    assert second.record.delta is not None
    checker.offer_delta(read_delta(made.workspace.path(second.record.delta), KEYS, NOW), NOW)
    whole = holder(made, second)
    assert (checker.sequence, checker.expires_at) == (whole.sequence, whole.expires_at)
    changed = 0
    for imei in (STOLEN, STOLEN_PAIRED, PLAIN, LATECOMER, OLD_TIMER, UNSEEN, GOLDEN_UNSEEN, IN_RANGE_SEEN):
        for subscriber in (None, HOME, AWAY):
            asked = (imei, None, subscriber and imsi(subscriber))
            assert checker.verdict(*asked) == whole.verdict(*asked), asked
            changed += whole.verdict(*asked) != holder(made, first).verdict(*asked)
    assert changed


def test_another_answer_for_unlisted_equipment_is_sent_as_a_whole_snapshot(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    publish(made)
    made.set_policy(policy(check='unlisted = "tracked"'))
    made.run(DAY + timedelta(days=1))
    assert publish(made).record.delta is None


def test_an_override_is_one_answer_to_everything_with_its_reason_kept(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    publish(made)
    published = publish(made, override="permitted", because="lists of today are wrong")
    assert published.is_new
    assert published.record.because == "lists of today are wrong"
    checker = holder(made, published)
    assert checker.verdict(STOLEN, None, None).status is P
    assert checker.header.extra["override_because"] == "lists of today are wrong"
    back = publish(made)
    assert back.record.sequence > published.record.sequence
    assert holder(made, back).verdict(STOLEN, None, None).status is B


def test_only_the_newest_files_are_kept_and_every_record(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    for n in range(KEPT + 2):
        publish(made, valid_until=date(2026, 7, 1) + timedelta(days=n))
    records = made.workspace.catalogue().snapshots
    assert len(records) == KEPT + 2
    assert len([r for r in records if r.path]) == KEPT
    assert len(list((made.root / "snapshots" / "all").glob("*.snapshot"))) == KEPT
    assert made.workspace.sweep() == []


def test_what_cannot_be_published_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy())
    before = tree(made.root)
    asked: list[tuple[type[Exception], str, dict[str, object]]] = [
        (SnapshotTooOldError, "--valid-until", {"now": NOW + timedelta(days=20)}),
        (UsageError, "one, two", {"operator": "three"}),
        (UsageError, "--because", {"override": "permitted"}),
        (UsageError, "", {"valid_until": date(2027, 8, 1)}),
    ]
    for error, hint, request in asked:
        with pytest.raises(error) as refused:
            publish(made, **request)
        assert hint in refused.value.hint  # type: ignore[attr-defined]
    assert tree(made.root) == before
    made.take("stolen", [f"{PLAIN},20260615,"], DAY + timedelta(days=1))
    made.classify(DAY + timedelta(days=1))
    with pytest.raises(NoListsError):
        publish(made)


def test_the_expiry_counts_from_the_day_of_the_lists(tmp_path: Path) -> None:
    made = register(tmp_path / "w", policy(check="valid_days = 5"))
    published = publish(made)
    assert published.record.expires_at == datetime(2026, 6, 21, tzinfo=UTC)
    snapshot = open_snapshot(file_of(made, published), KEYS, NOW)
    assert replace(snapshot.header, sections=()).as_of == "2026-06-15"
