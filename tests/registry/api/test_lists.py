"""Editions of the lists that go out, and what changed between them."""

import base64
import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from at_once import at_once, need_postgresql
from calling import bearer, call
from cryptography.exceptions import InvalidSignature
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from people import NOW, account
from registry_publications import decided, publish

from ceir.equipment_check.keys import create_signing_key, load_trusted_keys, write_public_key
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.calls import allowing
from ceir.registry.editions.issuing import changes, current, forget, issue, issue_all, whole
from ceir.registry.editions.models import Edition, ListEntry
from ceir.registry.releases.models import Member, Override, Release, Step
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Decision, Run

IMEIS = [f"{35_000_000_000_000 + n:014}" for n in range(6)]


@pytest.fixture(autouse=True)
def _leases() -> Iterator[None]:
    allowing.forget_leases()
    yield
    allowing.forget_leases()


def take(tmp_path: Path, number: int, *rows: tuple[str, ...]) -> Run:
    folder = tmp_path / str(number)
    base = number - 1 if number > 1 else None
    return apply(publish(folder, number, rows, base=base), actor=SYSTEM, at=NOW).run


def text(parts: Iterator[bytes]) -> str:
    return b"".join(parts).decode()


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def applied(before: str, changed: str) -> str:
    """A list with changes done to it."""
    rows = {line.split(",")[0]: line for line in before.splitlines()[1:]}
    for line in changed.splitlines()[1:]:
        change, entry = line.split(",", 1)
        imei = entry.split(",")[0]
        assert (imei in rows) == (change != "added"), line
        if change == "removed":
            del rows[imei]
        else:
            rows[imei] = entry
    return "\n".join([before.splitlines()[0], *(rows[imei] for imei in sorted(rows))]) + "\n"


def test_lists_are_issued_when_they_changed_and_only_then(tmp_path: Path) -> None:
    assert issue("", actor=SYSTEM, at=NOW) is None, "no run yet"
    take(tmp_path, 1, decided(IMEIS[0]), decided(IMEIS[1], "tracked"))
    first = issue("", actor=SYSTEM, at=NOW)
    assert first is not None
    assert (first.sequence, first.rows, first.blocked) == (1, 2, 0)
    assert issue("", actor=SYSTEM, at=NOW) is None
    take(tmp_path, 2, decided(IMEIS[0]), decided(IMEIS[1], "tracked"))
    assert issue("", actor=SYSTEM, at=NOW) is None, "the same again"
    take(tmp_path, 3, decided(IMEIS[1], "tracked"), decided(IMEIS[2], "trial"))
    third = issue("", actor=SYSTEM, at=NOW)
    assert third is not None
    assert (third.sequence, third.rows) == (2, 1)


def test_the_digest_is_that_of_what_is_sent(tmp_path: Path) -> None:
    take(tmp_path, 1, decided(IMEIS[0], reasons='Said "so" twice'), decided("AB12", "tracked"))
    issue("", actor=SYSTEM, at=NOW)
    token = bearer(Role.OFFICER)
    told = call("GET", "lists", token).json()
    answer = call("GET", "lists/whole", token)
    sent = body(answer)
    assert hashlib.sha256(sent).hexdigest() == told["sha256"]
    assert answer.headers["Ceir-Sequence"] == "1"
    assert answer.headers["Repr-Digest"].startswith("sha-256=:")
    rows = list(csv.reader(io.StringIO(sent.decode())))
    assert rows[1][0] == "AB12"
    assert rows[2][-1] == 'Said "so" twice'


def test_a_release_moves_a_device_from_watched_to_blocked_and_an_override_empties_the_lists(
    tmp_path: Path,
) -> None:
    run = take(tmp_path, 1, decided(IMEIS[0]))
    issue("", actor=SYSTEM, at=NOW)
    release = Release.objects.create(
        run=run, conditions=[], stages=[{"buckets": 1, "days": 1, "operators": []}], by_operator=False,
        budgets={}, tolerated=0, alone_share=0, salt=b"x" * 16, state="running", reason="x",
        planned_by="account:1", planned_at=NOW,
    )  # fmt: skip
    Member.objects.create(
        release=release, imei=int(IMEIS[0]), blocked_run=1, bucket=0, stage=0, everywhere=True, moved_at=NOW
    )
    Step.objects.create(release=release, at=NOW, by="system", what="moved")
    second = issue("", actor=SYSTEM, at=NOW)
    assert second is not None
    assert second.blocked == 1
    assert text(changes(second, 1)).splitlines()[1].startswith(f"changed,{IMEIS[0]},blocked,")
    Override.objects.create(
        answer="permitted", reason="x", begun_at=NOW, proposed_by="a", decided_by="b",
        until=NOW + timedelta(hours=1),
    )  # fmt: skip
    third = issue("", actor=SYSTEM, at=NOW)
    assert third is not None
    assert third.rows == 0
    fourth = issue("", actor=SYSTEM, at=NOW + timedelta(hours=1))
    assert fourth is not None
    assert fourth.sha256 == second.sha256, "it ends by itself"
    assert text(changes(fourth, 2)).splitlines()[1:] == [], "there and back again is no change"


def test_an_operator_gets_its_own_lists_whatever_it_asks_for(tmp_path: Path) -> None:
    account(Role.OPERATOR, "o1", of="operator1")
    account(Role.OPERATOR, "o2", of="operator2")
    take(tmp_path, 1, decided(IMEIS[0]))
    assert issue_all(actor=SYSTEM, at=NOW) == 3
    token = bearer(Role.OPERATOR, of="operator1")
    asked = call("GET", "lists", token, query={"operator": "operator2"}).json()
    assert asked["operator"] == "operator1"
    regulator = call("GET", "lists", bearer(Role.OFFICER), query={"operator": "operator2"}).json()
    assert regulator["operator"] == "operator2"


def test_changes_since_what_is_not_there_are_refused(tmp_path: Path) -> None:
    take(tmp_path, 1, decided(IMEIS[0]))
    token = bearer(Role.OFFICER)
    assert call("GET", "lists/changes", token, query={"since": 0}).json()["code"] == "edition_unknown"
    issue("", actor=SYSTEM, at=NOW)
    for since, status in ((0, 200), (1, 200), (2, 409), (-1, 422), ("x", 422), (2**31, 422)):
        assert call("GET", "lists/changes", token, query={"since": since}).status_code == status, since


def test_old_editions_are_forgotten_and_newer_ones_stay_whole(tmp_path: Path) -> None:
    take(tmp_path, 1, decided(IMEIS[0]), decided(IMEIS[1]))
    issue("", actor=SYSTEM, at=NOW)
    take(tmp_path, 2, decided(IMEIS[1]), decided(IMEIS[2]))
    issue("", actor=SYSTEM, at=NOW + timedelta(days=1))
    take(tmp_path, 3, decided(IMEIS[2]))
    last = issue("", actor=SYSTEM, at=NOW + timedelta(days=2))
    assert last is not None
    second = Edition.objects.get(sequence=2)
    between = text(changes(last, 2))
    assert forget(NOW + timedelta(days=90)) == 1
    assert text(changes(last, 2)) == between
    assert applied(text(whole(second)), between) == text(whole(last))
    assert not ListEntry.objects.filter(imei=int(IMEIS[0])).exists()
    with pytest.raises(Exception, match="not kept"):
        changes(last, 1)


@hypothesis_settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(IMEIS), st.tuples(st.sampled_from(["tracked", "notified", "trial"]),
                                                          st.sampled_from(["A", "B"]))),
        min_size=2, max_size=5,
    )
)  # fmt: skip
def test_the_list_of_any_edition_and_the_changes_since_give_the_newest(
    states: list[dict[str, tuple[str, str]]],
) -> None:
    Edition.objects.all().delete()
    ListEntry.objects.all().delete()
    run, _ = Run.objects.get_or_create(
        pk=1,
        defaults={"as_of": date(2026, 11, 1), "whole": True, "files": [], "counts": {}, "applied_at": NOW},
    )
    from ceir.registry.runs.models import Grounds, Head

    Head.objects.update_or_create(pk=1, defaults={"run": run})
    grounds = {
        reason: Grounds.objects.get_or_create(
            digest=reason.encode() * 16, defaults={"reasons": reason, "conditions": "c"}
        )[0]
        for reason in ("A", "B")
    }
    told: dict[int, str] = {}
    for place, state in enumerate(states):
        Decision.objects.all().delete()
        for imei, (outcome, reason) in state.items():
            Decision.objects.create(
                imei=int(imei), outcome=outcome, since=date(2026, 9, 1), grounds=grounds[reason], run=run,
                outcome_run=run,
            )  # fmt: skip
        Edition.objects.update(basis=f"other {place}")
        made = issue("", actor=SYSTEM, at=NOW)
        if made is not None:
            told[made.sequence] = text(whole(made))
    newest = current("")
    for sequence, before in told.items():
        assert applied(before, text(changes(newest, sequence))) == told[newest.sequence]


def signed_by(settings: Any, folder: Path) -> Path:
    """Where the public half of the register's key lies; the key is one as snapshots have it."""
    settings.CEIR_SIGNING_KEY = folder / "signing.pem"
    key = create_signing_key(settings.CEIR_SIGNING_KEY)
    return write_public_key(key.public_key(), folder / "public")


def test_a_list_is_signed_and_whoever_changes_it_or_its_edition_is_found_out(
    tmp_path: Path, settings: Any
) -> None:
    public = signed_by(settings, tmp_path)
    (key,) = load_trusted_keys(public.parent).values()
    take(tmp_path, 1, decided(IMEIS[0]))
    issue("", actor=SYSTEM, at=NOW)
    first = body(call("GET", "lists/whole", bearer(Role.OFFICER)))
    take(tmp_path, 2, decided(IMEIS[0]), decided(IMEIS[1], "tracked"))
    issue("", actor=SYSTEM, at=NOW)
    told = call("GET", "lists", bearer(Role.OFFICER)).json()
    assert told["signed_by"] == public.stem
    lines = ["ceir-list-1", told["operator"], str(told["sequence"]), told["as_of"], told["sha256"]]
    signature = base64.b64decode(told["signature"])
    key.verify(signature, "".join(f"{line}\n" for line in lines).encode())
    for place, other in ((1, "operator1"), (2, "1"), (3, "2026-01-01"), (4, "0" * 64)):
        forged = [*lines[:place], other, *lines[place + 1 :]]
        with pytest.raises(InvalidSignature):
            key.verify(signature, "".join(f"{line}\n" for line in forged).encode())
    changed = call("GET", "lists/changes", bearer(Role.OFFICER), query={"since": 1})
    header = f'sig=:{told["signature"]}:;keyid="{told["signed_by"]}"'
    assert changed.headers["Ceir-List-Signature"] == header
    became = applied(first.decode(), body(changed).decode()).encode()
    assert hashlib.sha256(became).hexdigest() == changed.headers["Ceir-List-Digest"] == told["sha256"]


def test_without_a_key_lists_go_out_unsigned_and_with_a_bad_one_not_at_all(
    tmp_path: Path, settings: Any
) -> None:
    take(tmp_path, 1, decided(IMEIS[0]))
    issue("", actor=SYSTEM, at=NOW)
    told = call("GET", "lists", bearer(Role.OFFICER)).json()
    assert (told["signed_by"], told["signature"]) == (None, None)
    assert "Ceir-List-Signature" not in call("GET", "lists/whole", bearer(Role.OFFICER)).headers
    settings.CEIR_SIGNING_KEY = tmp_path / "open.pem"
    create_signing_key(settings.CEIR_SIGNING_KEY)
    settings.CEIR_SIGNING_KEY.chmod(0o644)
    refused = call("GET", "lists/whole", bearer(Role.OFFICER))
    assert (refused.status_code, refused.json()["code"]) == (503, "key_refused")


@pytest.mark.django_db(transaction=True)
def test_of_issues_at_once_one_makes_the_edition_and_none_comes_between(tmp_path: Path) -> None:
    need_postgresql()
    take(tmp_path, 1, decided(IMEIS[0]), decided(IMEIS[1], "tracked"))
    made = at_once(*[lambda: issue("", actor=SYSTEM, at=NOW)] * 4)
    assert sorted(type(one).__name__ for one in made) == ["Edition", "NoneType", "NoneType", "NoneType"]
    take(tmp_path, 2, decided(IMEIS[1], "tracked"), decided(IMEIS[2], "tracked"))
    token = bearer(Role.OFFICER)

    def read() -> object:
        answer = call("GET", "lists/whole", token)
        return answer.headers["Repr-Digest"], hashlib.sha256(body(answer)).digest()

    came_to = at_once(
        lambda: issue("", actor=SYSTEM, at=NOW), read, lambda: issue("", actor=SYSTEM, at=NOW), read
    )
    assert [e.sequence for e in Edition.objects.filter(operator="").order_by("sequence")] == [1, 2]
    for said in (came_to[1], came_to[3]):
        assert isinstance(said, tuple), said
        assert said[0] == f"sha-256=:{base64.b64encode(said[1]).decode()}:", "a list of two editions"
    newest = current("")
    assert hashlib.sha256(b"".join(whole(newest))).hexdigest() == newest.sha256
