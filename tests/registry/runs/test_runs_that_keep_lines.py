"""A run that lets lines go on with copied identities, taken over from the pipeline as it was published."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from copied_world import (
    CLONES,
    DECIDED,
    OPEN,
    OPERATORS,
    OWNER,
    USER_1,
    USER_2,
    USER_3,
    USERS,
    blocked,
    enter_operators,
    handed,
    issued,
    let_out,
    listed,
    lists_of,
    number,
    paired,
    take,
    told_line,
    with_exceptions,
)
from people import NOW, actor
from registry_publications import decided, publish, read_manifest, write_manifest
from world import proof_of, somebody

from building import Register
from ceir.identifiers import Imei, Imsi, Msisdn
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.codes.models import Purpose
from ceir.registry.editions.issuing import current
from ceir.registry.editions.numbering import KEPT
from ceir.registry.lists_and_cases import seen_with_contacts
from ceir.registry.pairings.models import Pairing
from ceir.registry.pairings.standing import LINGERS
from ceir.registry.personal.fields import Access
from ceir.registry.personal.shredding import shred
from ceir.registry.registrations.owning import my_devices
from ceir.registry.releases.outgoing import held_back, is_out, write_outgoing
from ceir.registry.runs.applying import apply
from ceir.registry.runs.merging import RunBaseError
from ceir.registry.runs.models import EXCEPTED_KEPT_DAYS, Excepted, Run
from ceir.registry.status.people import Known, equipment_of, users_of

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _operators() -> None:
    enter_operators()


def test_genuine_and_undecided_lines_go_on_and_those_of_clones_do_not(world: Register) -> None:
    for run in (1, 2, 3, 4):
        taken = take(world, run)
        assert {(o, i, s) for o, i, s in handed(NOW + LINGERS)} == listed(world, run)
        assert taken.counts["exceptions"] == len(listed(world, run))
        assert (taken.keeps_lines, taken.outright, taken.staged) == (["cloned"], ["operator3"], [])
        assert not {imsi for _, _, imsi in handed()} & set(CLONES)
    assert listed(world, 2) == {
        ("operator1", DECIDED, OWNER),
        ("operator1", OPEN, USER_1),
        ("operator2", OPEN, USER_2),
        ("operator3", OPEN, USER_3),
    }
    assert listed(world, 4) == {("operator1", OPEN, USER_1)}


def test_changes_lead_to_the_same_lines_as_whole_lists(world: Register) -> None:
    take(world, 1)
    applied = apply(lists_of(world, 4, 1), actor=SYSTEM, at=NOW).run
    assert not applied.whole
    assert (applied.outright, applied.keeps_lines) == (["operator3"], ["cloned"])
    assert handed(NOW + LINGERS) == listed(world, 4)
    assert applied.counts["exceptions_ended"] == 3


def test_changes_against_exceptions_that_were_never_taken_over_are_refused(world: Register) -> None:
    take(world, 1)
    Run.objects.update(counts={"blocked": 0})
    with pytest.raises(RunBaseError, match="exceptions of run 1"):
        apply(lists_of(world, 4, 1), actor=SYSTEM, at=NOW)
    Run.objects.update(counts={"exceptions": 4})
    Excepted.objects.filter(operator="operator2").update(ended_run=1, ended_at=NOW)
    with pytest.raises(RunBaseError, match="exceptions do not fit"):
        apply(lists_of(world, 4, 1), actor=SYSTEM, at=NOW)


def test_an_operator_that_cannot_hold_exceptions_gets_no_identity_that_anybody_is_excepted_from(
    world: Register, tmp_path: Path
) -> None:
    take(world, 1, 2)
    let_out(2)
    assert blocked("operator1") == blocked("operator2") == {DECIDED, OPEN}
    assert blocked("operator3") == set()
    assert [one.identity for one in held_back(NOW, "operator3")] == [DECIDED, OPEN]
    assert is_out(int(OPEN), NOW, "operator1")
    assert not is_out(int(OPEN), NOW, "operator3")
    issued()
    assert (current("operator3").blocked, current("operator3").rows) == (0, 2)
    rows = write_outgoing(tmp_path / "out", OPERATORS, actor=SYSTEM, at=NOW)
    assert rows == {
        "operator1/exceptions.csv": 2, "operator1/blocked.csv": 2, "operator1/tracked.csv": 0,
        "operator2/exceptions.csv": 1, "operator2/blocked.csv": 2, "operator2/tracked.csv": 0,
        "operator3/blocked_outright.csv": 0, "operator3/tracked.csv": 2,
    }  # fmt: skip
    text = (tmp_path / "out" / "operator2" / "exceptions.csv").read_text()
    assert text == f"imei,imsi,msisdn\n{OPEN},{USER_2},\n"
    tracked = (tmp_path / "out" / "operator3" / "tracked.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in tracked] == [DECIDED, OPEN]
    named = [str(one["file"]) for one in read_manifest(tmp_path / "out")["files"]]  # type: ignore[attr-defined]
    assert named.index("operator1/exceptions.csv") < named.index("operator1/blocked.csv")
    assert Entry.objects.filter(subject="export:outgoing:operator1").exists()


def test_a_pairing_made_later_takes_the_identity_off_the_outright_list_at_once(
    world: Register, tmp_path: Path
) -> None:
    take(world, 1)
    folder = publish(tmp_path / "2", 2, [decided(DECIDED)], base=1, as_of=NOW.date(), country="Examplia")
    place = folder / "operator2" / "blocked_outright.csv"
    place.write_text("imei,block_date,reasons\n")
    manifest = read_manifest(folder)
    sha256 = hashlib.sha256(place.read_bytes()).hexdigest()
    manifest["files"].append({"file": "operator2/blocked_outright.csv", "rows": 0, "sha256": sha256})  # type: ignore[attr-defined]
    write_manifest(folder, manifest)
    assert apply(folder, actor=SYSTEM, at=NOW).run.outright == ["operator2"]
    let_out(2)
    issued()
    assert blocked("operator2") == {DECIDED}
    assert current("operator2").blocked == 1
    paired(DECIDED, OWNER)
    issued()
    assert blocked("operator1") == {DECIDED}
    assert blocked("operator2") == set()
    assert current("operator2").blocked == 0


def test_an_exception_outlives_its_block_but_not_the_next_one(world: Register, tmp_path: Path) -> None:
    take(world, 1, 2, 3, 4)
    assert ("operator1", DECIDED, OWNER) in handed(NOW + LINGERS - timedelta(seconds=1))
    assert ("operator1", DECIDED, OWNER) not in handed(NOW + LINGERS)
    stolen = decided(DECIDED, reasons="Stolen", conditions="stolen")
    apply(publish(tmp_path / "5", 5, [stolen], base=4, as_of=NOW.date()), actor=SYSTEM, at=NOW)
    assert ("operator1", DECIDED, OWNER) not in handed()


@pytest.mark.parametrize("keeps", [False, True])
def test_a_pairing_that_was_released_since_the_run_ends_at_once_unless_the_run_may_let_the_line_itself(
    tmp_path: Path, *, keeps: bool
) -> None:
    folder = publish(tmp_path / "1", 1, [decided(DECIDED, conditions="cloned")])
    with_exceptions(folder, "operator1", (DECIDED, OWNER, number(OWNER)), (DECIDED, USER_1, number(USER_1)))
    if keeps:
        write_manifest(folder, {**read_manifest(folder), "keeps_lines": ["cloned"]})
    apply(folder, actor=SYSTEM, at=NOW)
    paired(DECIDED, OWNER)
    both = {("operator1", DECIDED, OWNER), ("operator1", DECIDED, USER_1)}
    assert handed() == both, "pairings that others told the pipeline are handed on too"
    Pairing.objects.update(state="released", ended_at=NOW)
    assert handed() == (both if keeps else {("operator1", DECIDED, USER_1)})


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([(DECIDED, "", "")], "1 to 15 digits"),
        ([(DECIDED, OWNER, "x")], "1 to 15 digits"),
        ([("", OWNER, "")], "empty"),
        ([(DECIDED, OWNER, ""), (DECIDED, OWNER, "")], "twice"),
    ],
)
def test_exceptions_that_the_pipeline_would_not_write_are_refused(
    tmp_path: Path, rows: list[tuple[str, str, str]], told: str
) -> None:
    folder = publish(tmp_path / "1", 1, [decided(DECIDED)])
    with_exceptions(folder, "operator1", *rows)
    with pytest.raises(Exception, match=told):
        apply(folder, actor=SYSTEM, at=NOW)
    assert not Excepted.objects.exists()
    assert not Run.objects.exists()


def test_who_proves_his_number_sees_whether_it_goes_on(world: Register) -> None:
    take(world, 1, 2)
    for imsi in (OWNER, CLONES[0]):
        told_line(imsi)
    for n, goes_on in ((1, True), (2, False)):
        (his,) = my_devices(
            proof_of(Purpose.DEVICES, n), seen_with=seen_with_contacts, actor=somebody(n), at=NOW
        )
        assert (his.identities, his.goes_on) == ((Imei(DECIDED),), goes_on)


@pytest.mark.django_db(transaction=True)
def test_the_regulator_looks_up_on_a_legal_basis_who_goes_on(world: Register) -> None:
    take(world, 1, 2)
    access = Access(actor(Role.OFFICER), NOW, "Order 12/2026")
    found = [use for use in users_of(Imei(OPEN), access=access) if use.known is Known.EXCEPTION]
    assert {(use.imsi, use.operator, use.in_force) for use in found} == {
        (imsi, f"operator{n}", True) for n, imsi in enumerate(USERS, 1)
    }
    told_line(USER_1)
    uses, _ = equipment_of(Msisdn(number(USER_1)), access=access)
    assert [(use.imei, use.known) for use in uses] == [(OPEN, Known.EXCEPTION)]
    assert Entry.objects.filter(action="personal.read", basis="Order 12/2026").count() == 4


def test_what_ended_is_shredded_once_no_operator_may_ask_what_changed(world: Register) -> None:
    take(world, 1, 2, 3, 4)
    over = timedelta(days=EXCEPTED_KEPT_DAYS)
    assert not shred(NOW + over).get("runs.Excepted.imsi")
    assert shred(NOW + over + DAY)["runs.Excepted.imsi"] == 3
    assert handed(NOW + over) == listed(world, 4)
    assert Excepted.objects.filter(imsi_key="111010000000011").count() == 1
    assert over > KEPT + LINGERS
    assert Imsi(USER_2).digits not in str(list(Excepted.objects.values_list()))
