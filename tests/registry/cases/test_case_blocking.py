"""Into a block takes two people, or one for a time; out of it one, at once, and that is tried before."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from lost import (
    NUMBER,
    ONE,
    TWO,
    accept,
    blocked,
    fresh,
    in_force,
    in_state,
    listed,
    police,
    reported,
    reviewer,
    said,
    verified,
)
from people import NOW, actor

from ceir.errors import CeirError
from ceir.identifiers import PLACEHOLDER_NUMBERS, Imei
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.blocking import ProvisionalBlock, UnblockingUntriedError, block
from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.cases.leaving import recover, reject, restore, withdraw
from ceir.registry.cases.models import Case, CaseIdentity, NoProvisionalBlock
from ceir.registry.cases.proposing import BLOCK
from ceir.registry.cases.reporting import report
from ceir.registry.cases.standing import blocked_by
from ceir.registry.cases.states import CaseError, Mode, Reporter, State
from ceir.registry.cases.verifying import ask_for_block, verify
from ceir.registry.proposals.deciding import FourEyesError, decide, expire, propose
from ceir.registry.proposals.deciding import withdraw as withdraw_proposal
from ceir.registry.proposals.models import Proposal
from ceir.registry.proposals.models import State as ProposalState

AT_ONCE = ProvisionalBlock(hours=72)
HOUR = timedelta(hours=1)
BOTH = {ONE.digits, TWO.digits}
EVERY_ROLE = [role for role in Role if role is not Role.SYSTEM]


def at_once(by: Actor | None = None, policy: ProvisionalBlock = AT_ONCE, **more: object) -> Case:
    return report(said(**more), actor=by or police(), at=NOW, provisional=policy)


def proposal_of(case: Case) -> Proposal:
    return Proposal.objects.get(subject=f"case:{case.pk}")


OUT: dict[str, Callable[[Case], object]] = {
    "withdrawn": lambda case: withdraw(case.pk, reason="found it", actor=police(), at=NOW),
    "rejected": lambda case: reject(case.pk, reason="not his", actor=reviewer(), at=NOW),
    "recovered": lambda case: recover(case.pk, reason="raid", actor=police(), at=NOW),
}


@pytest.mark.parametrize("state", [State.BLOCKED, State.SEEN])
@pytest.mark.parametrize("way", OUT)
def test_one_person_takes_a_device_out_of_a_block_at_once(way: str, state: State) -> None:
    case = in_state(Mode.BLOCK, state)
    assert in_force() == BOTH
    OUT[way](case)
    assert in_force() == set()
    assert blocked_by(ONE, NOW) == ()
    if way == "recovered":
        assert set(listed().values()) == {"recovered"}
        restore(case.pk, reason="handed over", actor=police(), at=NOW)
    assert listed() == {}
    verify_record()


def test_the_whole_way_round_is_in_the_record_and_what_was_only_tried_is_not() -> None:
    case = reported()
    assert listed() == dict.fromkeys(BOTH, "pending")
    accept(case)
    recover(case.pk, reason="raid", actor=police(), at=NOW)
    restore(case.pk, reason="handed over", actor=actor(Role.OFFICER), at=NOW)
    deeds = Entry.objects.exclude(action__startswith="proposal").exclude(action="personal.read")
    assert list(deeds.values_list("action", flat=True)) == [
        "case.reported",
        "case.verified",
        "case.blocked",
        "case.recovered",
        "case.restored",
    ]
    kept = fresh(case)
    assert kept.unblocking_tried_at == kept.blocked_at == kept.ended_at == NOW
    assert kept.block_proposal == proposal_of(case).pk


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_nobody_alone_blocks_a_device_for_good(role: Role) -> None:
    """Whoever it is tries everything that leads to a block, on a case of his own and on a stranger's."""
    alone = actor(role, "alone", f"of-{role.value}")
    cases = [reported(by=police()), verified(imeis=(Imei("35674108000009"),))]
    with suppress(CeirError):
        cases.append(reported(by=alone, imeis=(Imei("35674108000008"),)))
    for case in cases:
        attempts: list[Callable[[Case], object]] = [
            lambda c: verify(c.pk, reason="x", actor=alone, at=NOW),
            lambda c: ask_for_block(c.pk, reason="x", actor=alone, at=NOW),
        ]
        for attempt in attempts:
            with suppress(CeirError):
                attempt(case)
        for proposal in Proposal.objects.filter(proposed_by=alone.id, state=ProposalState.OPEN.value):
            with pytest.raises(PermissionDeniedError):
                decide(proposal.pk, accept=True, actor=alone, reason="seen", at=NOW)
            with pytest.raises(CaseError, match="Two people"):
                block(proposal, alone, NOW)
    assert in_force() == set()


def test_two_of_the_same_role_do_not_block() -> None:
    case = verified()
    with pytest.raises(FourEyesError):
        decide(proposal_of(case).pk, accept=True, actor=police("p2"), reason="seen", at=NOW)
    for role in set(EVERY_ROLE) - {Role.REVIEWER, Role.POLICE}:
        with pytest.raises(PermissionDeniedError):
            decide(proposal_of(case).pk, accept=True, actor=actor(role), reason="seen", at=NOW)
    assert in_force() == set()


def test_who_accepts_blocks_what_was_proposed_and_nothing_that_came_later() -> None:
    case = verified()
    CaseIdentity.objects.create(case=case, imei=Imei("35674108000003").number, proven=False)
    with pytest.raises(CaseError, match="other devices"):
        decide(proposal_of(case).pk, accept=True, actor=reviewer(), reason="seen", at=NOW)
    assert in_force() == set()
    assert proposal_of(case).state == ProposalState.OPEN.value


@pytest.mark.parametrize("reaction", ["refuses", "pretends"])
@pytest.mark.parametrize("way", ["withdrawn", "rejected", "recovered", "restored"])
def test_a_device_is_not_blocked_while_a_way_out_is_broken(way: str, reaction: str) -> None:
    case = verified()
    break_way(way, reaction)
    with pytest.raises(UnblockingUntriedError) as refused:
        decide(proposal_of(case).pk, accept=True, actor=reviewer(), reason="seen", at=NOW)
    assert refused.value.code == "unblocking_untried"
    assert State(fresh(case).state) is State.VERIFIED
    assert in_force() == set()
    if way in ("withdrawn", "rejected"):
        with pytest.raises(UnblockingUntriedError):
            at_once(imeis=(Imei("35674108000009"),))
        assert in_force() == set()


def break_way(state: str, reaction: str) -> None:
    """Something in the database that stands in the way of a state, loudly or without a word."""
    if connection.vendor == "postgresql":
        body = "RAISE EXCEPTION 'broken'" if reaction == "refuses" else "RETURN NULL"
        statements = [
            f"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$",
            "CREATE TRIGGER broken BEFORE UPDATE ON cases_case FOR EACH ROW "
            f"WHEN (NEW.state = '{state}') EXECUTE FUNCTION broken()",
        ]
    else:
        body = "RAISE(ABORT, 'broken')" if reaction == "refuses" else "RAISE(IGNORE)"
        statements = [
            f"CREATE TRIGGER broken BEFORE UPDATE ON cases_case WHEN NEW.state = '{state}' "
            f"BEGIN SELECT {body}; END"
        ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "blocked"},
        {"state": "blocked", "block_proposal": 1},
        {"state": "blocked", "unblocking_tried_at": NOW},
        {"state": "seen"},
        {"state": "gone"},
        {"mode": "both"},
        {"provisional_until": NOW},
        {"ended_at": NOW},
        {"state": "withdrawn"},
        {"mode": "recovery", "state": "blocked", "block_proposal": 1, "unblocking_tried_at": NOW},
    ],
    ids=str,
)
def test_the_database_itself_refuses_a_block_without_proof(change: dict[str, object]) -> None:
    case = reported()
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**change)


@pytest.mark.parametrize("state", [s for s in State if s is not State.BLOCKED])
def test_recovery_mode_is_never_on_the_stolen_list(state: State) -> None:
    in_state(Mode.RECOVERY, state)
    assert listed() == {}
    again = at_once(mode=Mode.RECOVERY, imeis=(Imei("35674108000009"),))
    assert again.provisional_until is None
    assert listed() == {}


def test_a_device_blocked_by_two_cases_stays_blocked_until_both_let_it_go() -> None:
    first = blocked()
    second = reported(by=police("p2", "station-2"), imeis=(ONE,))
    assert blocked_by(ONE, NOW) == (first.pk,)
    proposal = verify(second.pk, reason="x", actor=police("p2", "station-2"), at=NOW)
    assert proposal
    decide(proposal.pk, accept=True, actor=reviewer(), reason="seen", at=NOW)
    assert blocked_by(ONE, NOW) == (first.pk, second.pk)
    withdraw(first.pk, reason="x", actor=police(), at=NOW)
    assert in_force() == {ONE.digits}
    withdraw(second.pk, reason="x", actor=police("p2", "station-2"), at=NOW)
    assert listed() == {}


# Provisional blocks


def test_a_provisional_block_holds_from_the_report_to_its_deadline_and_not_a_moment_longer() -> None:
    case = at_once()
    assert in_force(NOW) == BOTH
    assert in_force(NOW + 72 * HOUR - timedelta(microseconds=1)) == BOTH
    # Lifted by the clock, whether or not somebody has run the job:
    assert in_force(NOW + 72 * HOUR) == set()
    assert pass_deadlines(NOW + 71 * HOUR) == 0
    assert pass_deadlines(NOW + 72 * HOUR) == 1
    assert pass_deadlines(NOW + 72 * HOUR) == 0
    kept = fresh(case)
    assert (kept.state, kept.provisional_until) == ("reported", None)
    assert Entry.objects.filter(action="case.provisional_lifted", actor="system").count() == 1
    accept(case, NOW + 80 * HOUR)  # late, but by two
    assert in_force(NOW + 80 * HOUR) == BOTH


def test_without_the_policy_nothing_is_blocked_at_once() -> None:
    case = report(said(), actor=police(), at=NOW)
    assert case.provisional_until is None
    assert in_force() == set()


@pytest.mark.parametrize("way", ["withdrawn", "rejected"])
def test_an_undecided_case_that_is_left_blocks_no_more(way: str) -> None:
    case = at_once()
    OUT[way](case)
    assert listed() == {}
    assert fresh(case).provisional_until is None


def test_another_person_who_verifies_gives_the_second_pair_of_eyes_as_long_once_more() -> None:
    case = at_once()
    verify(case.pk, reason="x", actor=police("p2"), at=NOW + 70 * HOUR)
    assert in_force(NOW + 141 * HOUR) == BOTH
    assert in_force(NOW + 142 * HOUR) == set()
    assert pass_deadlines(NOW + 142 * HOUR) == 1
    assert fresh(case).state == "verified"


def test_a_reporter_who_verifies_himself_does_not_prolong_his_block() -> None:
    case = at_once()
    verify(case.pk, reason="x", actor=police(), at=NOW + 70 * HOUR)
    assert in_force(NOW + 72 * HOUR) == set()


def test_who_verifies_too_late_revives_no_block() -> None:
    case = at_once()
    verify(case.pk, reason="x", actor=police("p2"), at=NOW + 73 * HOUR)
    assert fresh(case).provisional_until is None
    assert in_force(NOW) == in_force(NOW + 73 * HOUR) == set()
    assert pass_deadlines(NOW + 73 * HOUR) == 0


@pytest.mark.parametrize("how", ["rejected", "withdrawn", "expired"])
def test_a_block_that_nobody_else_wants_ends_with_the_proposal(how: str) -> None:
    case = at_once(policy=ProvisionalBlock(hours=720))
    verify(case.pk, reason="x", actor=police("p2"), at=NOW)
    assert in_force() == BOTH
    proposal = proposal_of(case)
    late = NOW + timedelta(days=15)
    if how == "rejected":
        decide(proposal.pk, accept=False, actor=reviewer(), reason="no bill", at=NOW)
    elif how == "withdrawn":
        withdraw_proposal(proposal.pk, actor=police("p2"), at=NOW)
    else:
        assert in_force(late) == BOTH
        assert expire(late) == 1
    assert proposal_of(case).state == how
    assert in_force(NOW) == in_force(late) == set()
    assert fresh(case).state == "verified"
    ask_for_block(case.pk, reason="the bill came", actor=police("p2"), at=late)
    assert in_force(late) == set()


def test_a_case_that_is_left_leaves_no_proposal_behind() -> None:
    case = verified()
    withdraw(case.pk, reason="x", actor=police(), at=NOW)
    assert proposal_of(case).state == ProposalState.WITHDRAWN.value
    with pytest.raises(CeirError, match="withdrawn already"):
        decide(proposal_of(case).pk, accept=True, actor=reviewer(), reason="seen", at=NOW)
    assert in_force() == set()


REFUSED: list[tuple[NoProvisionalBlock, Callable[[], Case]]] = [
    (
        NoProvisionalBlock.REPORTER,
        lambda: at_once(actor(Role.OPERATOR), ProvisionalBlock(reporters=frozenset({Reporter.POLICE}))),
    ),
    (
        NoProvisionalBlock.NUMBER_NOT_PROVEN,
        lambda: at_once(actor(Role.CONSUMER), ProvisionalBlock(reporters=frozenset(Reporter))),
    ),
    (
        NoProvisionalBlock.NUMBER_NOT_PROVEN,
        lambda: at_once(actor(Role.OFFICER), ProvisionalBlock(reporters=frozenset(Reporter))),
    ),
    (NoProvisionalBlock.QUOTA, lambda: at_once(policy=ProvisionalBlock(devices_a_day=1))),
]


@pytest.mark.parametrize(("why", "attempt"), REFUSED, ids=lambda v: getattr(v, "value", ""))
def test_a_report_that_may_not_block_at_once_stands_and_says_why(
    why: NoProvisionalBlock, attempt: Callable[[], Case]
) -> None:
    case = attempt()
    assert case.no_provisional_block == why.value
    assert case.provisional_until is None
    assert in_force() == set()


def test_nobody_keeps_a_device_blocked_by_reporting_it_again_and_again() -> None:
    first = at_once()
    pass_deadlines(NOW + 72 * HOUR)
    withdraw(first.pk, reason="x", actor=police(), at=NOW + 73 * HOUR)
    for days in (4, 60):
        at = NOW + timedelta(days=days)
        again = report(said(), actor=police(f"p{days}"), at=at, provisional=AT_ONCE)
        assert again.no_provisional_block == "blocked_before"
        assert in_force(at) == set()
    much_later = NOW + timedelta(days=91)
    assert report(said(), actor=police("p91"), at=much_later, provisional=AT_ONCE).provisional_until


def test_a_day_has_room_for_so_many_provisional_blocks_of_one_reporter() -> None:
    policy = ProvisionalBlock(devices_a_day=3)
    imeis = [Imei(f"356741080001{n:02}") for n in range(4)]
    made = [at_once(policy=policy, imeis=(imei,)) for imei in imeis]
    assert [case.no_provisional_block for case in made] == ["", "", "", "quota"]
    other = at_once(police("p2"), policy, imeis=(imeis[3],))
    assert other.provisional_until is not None
    tomorrow = NOW + timedelta(days=1)
    later = report(said(imeis=(Imei("35674108000177"),)), actor=police(), at=tomorrow, provisional=policy)
    assert later.provisional_until is not None


@pytest.mark.parametrize(
    "wrong", [{"hours": 0}, {"hours": 721}, {"again_after_days": -1}, {"devices_a_day": 0}]
)
def test_a_policy_without_bounds_is_none(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="provisional block"):
        ProvisionalBlock(**wrong)  # type: ignore[arg-type]


# Reports


def test_what_no_single_device_has_is_never_reported() -> None:
    for number in PLACEHOLDER_NUMBERS:
        with pytest.raises(CaseError, match="filler"):
            said(imeis=(Imei.from_number(number),))


@pytest.mark.parametrize(
    "wrong",
    [
        {"imeis": (), "msisdn": None},
        {"imeis": tuple(Imei(f"3567410800{n:04}") for n in range(1001))},
        {"happened_at": datetime(2026, 11, 21, 9)},  # noqa: DTZ001 - that is what is wrong
        {"place": " "},
        {"place": "x" * 201},
        {"description": "x" * 4001},
        {"owner_name": "a\0b"},
        {"police_reference": "\u202egnp.exe"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_report_that_cannot_be_right_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises(CeirError) as refused:
        said(**wrong)
    assert refused.value.hint


def test_a_report_from_the_future_for_no_station_or_made_twice_is_refused() -> None:
    wrong: list[dict[str, object]] = [
        {"happened_at": NOW + HOUR},
        {"station": 4711},
        {"station": actor(Role.OPERATOR).organisation},
    ]
    for more in wrong:
        with pytest.raises(CaseError):
            reported(**more)
    first = reported()
    with pytest.raises(CaseError, match=f"case {first.pk}"):
        reported(imeis=(TWO,))
    reported(by=police("p2"), imeis=(TWO,))
    withdraw(first.pk, reason="x", actor=police(), at=NOW)
    reported(imeis=(TWO,))


def test_a_case_without_a_device_is_neither_verified_nor_blocked() -> None:
    case = reported(imeis=(), msisdn=NUMBER)
    with pytest.raises(CaseError, match="No device"):
        verify(case.pk, reason="x", actor=police(), at=NOW)
    for imeis in ({}, {"imeis": []}, {"imeis": [ONE.digits]}):
        proposal = propose(BLOCK, f"case:{case.pk}", imeis, actor=police(), reason="x", at=NOW)
        with pytest.raises(CaseError):
            decide(proposal.pk, accept=True, actor=reviewer(), reason="seen", at=NOW)
        withdraw_proposal(proposal.pk, actor=police(), at=NOW)
    assert listed() == {}


MAY = {
    "report": {Role.POLICE, Role.OPERATOR, Role.OFFICER, Role.CONSUMER},
    "verify": {Role.POLICE, Role.REVIEWER},
    "withdraw": {Role.OFFICER},
    "reject": {Role.POLICE, Role.REVIEWER},
    "recover": {Role.OFFICER},
}


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_each_role_may_do_to_a_strangers_case_what_the_matrix_says(role: Role) -> None:
    stranger = actor(role, "stranger", f"other-{role.value}")
    deeds: dict[str, Callable[[], object]] = {
        "report": lambda: reported(by=stranger),
        "verify": lambda: verify(reported().pk, reason="x", actor=stranger, at=NOW),
        "withdraw": lambda: withdraw(reported().pk, reason="x", actor=stranger, at=NOW),
        "reject": lambda: reject(reported().pk, reason="x", actor=stranger, at=NOW),
        "recover": lambda: recover(verified().pk, reason="x", actor=stranger, at=NOW),
    }
    for deed, attempt in deeds.items():
        with transaction.atomic():
            try:
                attempt()
                done = True
            except PermissionDeniedError:
                done = False
            transaction.set_rollback(True)
        assert done == (role in MAY[deed]), deed


def test_a_consumer_touches_his_own_case_only_and_the_register_none() -> None:
    mine = reported(by=actor(Role.CONSUMER, "c1"))
    for other in (actor(Role.CONSUMER, "c2"), SYSTEM):
        with pytest.raises(PermissionDeniedError):
            withdraw(mine.pk, reason="x", actor=other, at=NOW)
    withdraw(mine.pk, reason="x", actor=actor(Role.CONSUMER, "c1"), at=NOW)
    assert fresh(mine).state == "withdrawn"
