"""Several people at one case at the same moment: one order, one outcome, nothing half done."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from at_once import at_once, need_postgresql
from drawn import counted_draw
from lost import (
    NUMBER,
    ONE,
    TWO,
    blocked,
    fresh,
    in_force,
    police,
    reported,
    reviewer,
    said,
    sighting,
    verified,
)
from people import NOW, actor

from ceir.errors import CeirError
from ceir.identifiers import Imei, Msisdn
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.blocking import ProvisionalBlock
from ceir.registry.cases.choosing import SeenDevice, ask_for_code, choose_devices, offer_devices
from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.cases.leaving import recover, reject, withdraw
from ceir.registry.cases.models import Case, CaseIdentity, Trace
from ceir.registry.cases.reporting import report
from ceir.registry.cases.states import IllegalMoveError
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.cases.verifying import verify
from ceir.registry.personal.holding import hold
from ceir.registry.personal.models import LegalHold
from ceir.registry.personal.shredding import shred
from ceir.registry.proposals.deciding import ProposalError, decide, expire
from ceir.registry.proposals.models import Proposal

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
BOTH = {ONE.digits, TWO.digits}


@pytest.fixture(autouse=True)
def _postgresql() -> None:
    need_postgresql()


def errors(came_to: list[object]) -> list[type]:
    """What was raised; anything but a refusal of the register's own is a fault, a deadlock for instance."""
    raised = [outcome for outcome in came_to if isinstance(outcome, Exception)]
    assert all(isinstance(error, CeirError) for error in raised), raised
    return [type(error) for error in raised]


def test_of_many_officers_who_verify_at_once_one_does() -> None:
    case = reported()
    officers = [police(f"p{n}") for n in range(4)] + [reviewer("r1"), reviewer("r2")]

    def verifies(who) -> Callable[[], object]:  # type: ignore[no-untyped-def]
        return lambda: verify(case.pk, reason="x", actor=who, at=NOW)

    came_to = at_once(*(verifies(who) for who in officers))
    assert errors(came_to) == [IllegalMoveError] * 5
    assert Entry.objects.filter(action="case.verified").count() == 1
    assert Proposal.objects.count() == 1
    verify_record()


def test_of_many_who_accept_a_block_at_once_one_does() -> None:
    case = verified()
    proposal = Proposal.objects.get()
    reviewers = [reviewer(f"r{n}") for n in range(5)]

    def accepts(who) -> Callable[[], object]:  # type: ignore[no-untyped-def]
        return lambda: decide(proposal.pk, accept=True, actor=who, reason="seen", at=NOW)

    assert errors(at_once(*(accepts(who) for who in reviewers))) == [ProposalError] * 4
    assert Entry.objects.filter(action="case.blocked").count() == 1
    assert fresh(case).state == "blocked"
    verify_record()


@pytest.mark.parametrize("_attempt", range(5))
def test_a_deadline_that_passes_while_somebody_verifies_leaves_one_clear_outcome(_attempt: int) -> None:
    case = report(said(), actor=police(), at=NOW, provisional=ProvisionalBlock(hours=72))
    other = police("p2")
    before, after = NOW + 72 * HOUR - timedelta(seconds=1), NOW + 72 * HOUR
    came_to = at_once(
        lambda: verify(case.pk, reason="x", actor=other, at=before),
        lambda: pass_deadlines(after),
        lambda: pass_deadlines(after),
    )
    assert errors(came_to) == []
    lifted = sum(n for n in came_to[1:] if isinstance(n, int))
    kept = fresh(case)
    assert kept.state == "verified"
    assert Entry.objects.filter(action="case.provisional_lifted").count() == lifted <= 1
    if lifted:  # the deadline was first: restored, and nothing revives it
        assert kept.provisional_until is None
        assert in_force(after) == set()
    else:  # in time: as long once more
        assert kept.provisional_until == before + 72 * HOUR
        assert in_force(after) == BOTH
    verify_record()


@pytest.mark.parametrize("_attempt", range(5))
def test_a_case_withdrawn_while_a_second_person_accepts_never_stays_blocked(_attempt: int) -> None:
    case = verified()
    proposal = Proposal.objects.get()
    who = reviewer(), police(), police("p2")
    came_to = at_once(
        lambda: decide(proposal.pk, accept=True, actor=who[0], reason="seen", at=NOW),
        lambda: withdraw(case.pk, reason="found", actor=who[1], at=NOW),
        lambda: reject(case.pk, reason="untrue", actor=who[2], at=NOW),
    )
    assert len(errors(came_to[1:])) == 1  # one of the two ended it, whenever the block came
    assert fresh(case).state in ("withdrawn", "rejected")
    assert in_force() == set()
    verify_record()


@pytest.mark.parametrize("_attempt", range(3))
def test_a_proposal_that_expires_while_the_case_is_left_and_the_deadline_passes_blocks_nothing(
    _attempt: int,
) -> None:
    case = report(said(), actor=police(), at=NOW, provisional=ProvisionalBlock(hours=400))
    verify(case.pk, reason="x", actor=police("p2"), at=NOW)
    late, who = NOW + timedelta(days=17), police()
    came_to = at_once(
        lambda: expire(late),
        lambda: pass_deadlines(late),
        lambda: withdraw(case.pk, reason="found", actor=who, at=late),
    )
    assert errors(came_to) == []
    assert fresh(case).state == "withdrawn"
    assert Proposal.objects.get().state in ("expired", "withdrawn")
    assert in_force(NOW) == in_force(late) == set()
    verify_record()


def test_sightings_told_by_many_at_once_make_one_trace_a_user_and_move_the_case_once() -> None:
    case = blocked()
    users = [Msisdn(f"2200000009{n:02}") for n in range(3)]
    told = [sighting(NOW + n * HOUR, msisdn=user) for n, user in enumerate(users)]
    came_to = at_once(*[lambda: take_sightings(told, actor=SYSTEM, at=NOW + 5 * HOUR)] * 4)
    assert errors(came_to) == []
    assert sum(n for n in came_to if isinstance(n, int)) == Trace.objects.count() == 3
    assert Entry.objects.filter(action="case.seen").count() == 1
    assert fresh(case).state == "seen"
    verify_record()


@pytest.mark.parametrize("_attempt", range(3))
def test_a_device_seen_while_it_is_recovered_is_not_on_the_list_afterwards(_attempt: int) -> None:
    case = blocked()
    who = police()
    came_to = at_once(
        lambda: take_sightings([sighting()], actor=SYSTEM, at=NOW),
        lambda: recover(case.pk, reason="raid", actor=who, at=NOW),
    )
    assert errors(came_to) == []
    assert fresh(case).state == "recovered"
    assert in_force() == set()
    verify_record()


def test_of_one_offer_devices_are_chosen_once() -> None:
    me = actor(Role.CONSUMER, "c1")
    case = reported(by=me, imeis=(), msisdn=NUMBER)
    code = ask_for_code(case.pk, NUMBER, draw=counted_draw(), actor=me, at=NOW)
    seen = [SeenDevice(imei, "E", "X", NOW.date()) for imei in (ONE, TWO)]
    offer_devices(NUMBER, code.text, case_id=case.pk, seen_with=lambda _: seen, actor=me, at=NOW)

    def chooses(number: int) -> Callable[[], object]:
        return lambda: choose_devices(case.pk, [number], actor=me, at=NOW)

    assert len(errors(at_once(chooses(1), chooses(2), chooses(1), chooses(2)))) == 3
    assert CaseIdentity.objects.count() == 1
    verify_record()


def test_many_reports_at_once_wait_for_each_other_and_all_stand() -> None:
    reporters = [police(f"p{n}") for n in range(6)]
    policy = ProvisionalBlock(hours=1)

    def reports(place: int) -> Callable[[], object]:
        one = said(imeis=(Imei(f"356741080002{place:02}"),))
        return lambda: report(one, actor=reporters[place], at=NOW, provisional=policy)

    assert errors(at_once(*(reports(n) for n in range(6)))) == []
    assert Case.objects.count() == len(in_force()) == 6
    verify_record()


@pytest.mark.parametrize("_attempt", range(5))
def test_a_hold_that_came_first_stops_shredding_and_one_that_came_late_finds_it_done(_attempt: int) -> None:
    case = reported()
    withdraw(case.pk, reason="found", actor=police(), at=NOW)
    late, officer = NOW + timedelta(days=366), actor(Role.OFFICER)
    came_to = at_once(
        lambda: hold(f"case:{case.pk}", reason="court 7", actor=officer, at=late),
        lambda: shred(late),
    )
    assert errors(came_to) == []
    held = Entry.objects.get(action="personal.held").sequence
    shredded = Entry.objects.filter(action="personal.shredded").values_list("sequence", flat=True)
    kept = fresh(case)
    assert LegalHold.objects.count() == 1
    if kept.owner_name is None:
        assert [sequence < held for sequence in shredded] == [True]
    else:
        assert not shredded
    verify_record()
