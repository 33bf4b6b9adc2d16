"""Lines that a run lets go on with copied identities, as operators and others are told of them."""

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from calling import bearer, call
from copied_world import (
    ALL_AT_ONCE,
    DECIDED,
    OPEN,
    OWNER,
    USER_1,
    USER_2,
    USERS,
    enter_operators,
    handed,
    issued,
    let_out,
    number,
    paired,
    take,
    with_exceptions,
)
from people import NOW, actor
from registry_publications import decided, publish

from building import Register
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.editions import excepting
from ceir.registry.editions.issuing import current, issue_all
from ceir.registry.editions.models import Edition, ExceptionEdition, ListEntry
from ceir.registry.pairings.models import Pairing
from ceir.registry.pairings.standing import LINGERS, excepted_equipment
from ceir.registry.releases.models import Override
from ceir.registry.releases.planning import plan
from ceir.registry.releases.releasing import begin, carry_on, undo
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Excepted

BASIS = {"basis": "Interconnection Act 3"}
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _operators() -> None:
    enter_operators()


def whole(operator: str) -> set[tuple[str, str]]:
    """What an operator gets over the API."""
    answer = call("POST", "exceptions/whole", bearer(Role.OPERATOR, of=operator), BASIS)
    assert answer.status_code == 200, answer.content
    return {(imei, imsi) for imei, imsi in csv.reader(answer.content.decode().splitlines()[1:])}


def test_an_operator_gets_the_lines_of_its_own_subscribers_over_the_api_and_reading_is_recorded(
    world: Register,
) -> None:
    take(world, 1, 2)
    issued()
    assert whole("operator1") == {(DECIDED, OWNER), (OPEN, USER_1)}
    assert whole("operator2") == {(OPEN, USER_2)}
    read = Entry.objects.filter(action="personal.list_read", basis=BASIS["basis"])
    assert [one.subject for one in read] == ["exceptions:operator1:1", "exceptions:operator2:1"]
    for stored in Excepted.objects.all():
        assert all(imsi.encode() not in bytes(stored.imsi.stored) for imsi in (OWNER, *USERS))
    assert not any(
        imsi in f"{one.subject} {one.detail}" for one in Entry.objects.all() for imsi in (OWNER, *USERS)
    )


def test_exceptions_go_out_before_the_block_that_they_belong_to(
    world: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(world, 1)
    issued()
    assert whole("operator1") == {(DECIDED, OWNER), (OPEN, USER_1)}, "a month before the block"
    assert not ListEntry.objects.filter(status="blocked").exists()
    take(world, 2)
    let_out(2)
    issued()
    edition = current("operator1")
    exceptions = ExceptionEdition.objects.get(operator="operator1")
    assert (edition.blocked, edition.exceptions) == (2, exceptions.sequence)
    answer = call("GET", "lists/whole", bearer(Role.OPERATOR, of="operator1"))
    assert answer.headers["Ceir-Exceptions-Sequence"] == "1"
    # Where exceptions cannot be issued, no block is.
    before = Edition.objects.count()
    take(world, 3, 4)

    def fails(*_: object) -> set[object]:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(excepting, "going_on", fails)
    with pytest.raises(RuntimeError):
        issued()
    assert Edition.objects.count() == before


def test_whoever_issues_lists_issues_the_exceptions_with_them(world: Register) -> None:
    take(world, 1, 2)
    let_out(2)
    issue_all(actor=SYSTEM, at=NOW)
    assert current("operator2").exceptions == 1
    assert whole("operator2") == {(OPEN, USER_2)}


def test_changes_of_the_next_run_are_what_an_operator_has_to_do(world: Register) -> None:
    take(world, 1, 2)
    issued()
    take(world, 3)
    issued()
    assert ExceptionEdition.objects.filter(operator="operator2").count() == 1, "a grace of its own goes on"
    take(world, 4)
    issued()
    token = bearer(Role.OPERATOR, of="operator2")
    answer = call("POST", "exceptions/changes", token, {**BASIS, "since": 1})
    assert answer.content.decode().splitlines() == ["change,imei,imsi", f"removed,{OPEN},{USER_2}"]
    assert whole("operator2") == set()
    assert whole("operator1") == {(DECIDED, OWNER), (OPEN, USER_1)}, "nothing is blocked: it lingers"
    issued(NOW + LINGERS)
    assert whole("operator1") == {(OPEN, USER_1)}


def test_taking_a_release_back_or_an_override_frees_all_and_keeps_the_exceptions_ready(
    world: Register,
) -> None:
    take(world, 1, 2)
    release = let_out(2)
    issued()
    lines = handed()
    undo(release.pk, reason="a wrong file", actor=actor(Role.OFFICER), at=NOW)
    issued()
    assert current("operator1").blocked == 0
    assert handed() == lines
    again = plan(
        2, ALL_AT_ONCE, salt=b"drawn for a test", reason="copied", actor=actor(Role.OFFICER), at=NOW,
        again=True,
    )  # fmt: skip
    begin(again, actor(Role.OFFICER), NOW)
    carry_on(again.pk, actor=SYSTEM, at=NOW)
    issued()
    assert current("operator1").blocked == 2
    Override.objects.create(
        answer="permitted", reason="x", begun_at=NOW, proposed_by="a", decided_by="b", until=NOW + DAY
    )
    issued()
    assert current("operator1").rows == 0
    assert handed() == lines
    issued(NOW + DAY)
    assert (current("operator1").blocked, whole("operator1")) == (2, {(DECIDED, OWNER), (OPEN, USER_1)})


def test_what_people_pair_and_what_the_run_lets_are_one_list(world: Register) -> None:
    take(world, 1, 2)
    own = paired(DECIDED, OWNER)
    paired(OPEN, "111010000000077")
    issued()
    assert whole("operator1") == {(DECIDED, OWNER), (OPEN, USER_1), (OPEN, "111010000000077")}
    assert ExceptionEdition.objects.get(operator="operator1").rows == 3
    Pairing.objects.all().update(state="released", ended_at=NOW)
    issued()
    assert whole("operator1") == {(DECIDED, OWNER), (OPEN, USER_1)}, "the run lets its lines go on"
    assert own.imei == int(DECIDED)


def test_a_malformed_identity_is_handed_on_as_it_was_reported(tmp_path: Path) -> None:
    folder = publish(tmp_path / "1", 1, [decided("*#06#")])
    apply(with_exceptions(folder, "operator1", ("*#06#", OWNER, "")), actor=SYSTEM, at=NOW)
    issued()
    assert whole("operator1") == {("*#06#", OWNER)}
    assert len(excepted_equipment(NOW)) == 1


def test_the_status_says_that_lines_go_on_and_the_operator_how_many_of_its_own(world: Register) -> None:
    take(world, 1)
    public = bearer(Role.CONSUMER)
    told = call("GET", f"status/{OPEN}", public).json()
    assert (told["status"], told["lines_go_on"], told["own_lines"]) == ("tracked", True, None)
    assert "Whose line will stop is told before" in told["advice"]
    take(world, 2)
    let_out(2)
    told = call("GET", f"status/{OPEN}", public).json()
    assert (told["status"], told["lines_go_on"]) == ("blocked", True)
    assert "It is blocked, but the lines that used it before" in told["advice"]
    for operator, status, lines in (("operator1", "blocked", 2), ("operator3", "tracked", 0)):
        told = call("GET", f"status/{DECIDED}", bearer(Role.OPERATOR, of=operator)).json()
        assert (told["status"], told["own_lines"]) == (status, 1 if lines else 0)
    other = call("GET", f"status/{OPEN[:-1]}9", public).json()
    assert (other["status"], other["lines_go_on"], other["advice"]) == ("permitted", False, "")


def test_a_pairing_alone_is_not_told_as_lines_that_go_on(tmp_path: Path) -> None:
    folder = publish(tmp_path / "1", 1, [decided(DECIDED)])
    apply(with_exceptions(folder, "operator1", (DECIDED, OWNER, number(OWNER))), actor=SYSTEM, at=NOW)
    assert call("GET", f"status/{DECIDED}", bearer(Role.CONSUMER)).json()["lines_go_on"] is False
