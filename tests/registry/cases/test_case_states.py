"""Where a case can go: everything in the table works, and nothing else does."""

from collections.abc import Callable

import pytest
from lost import fresh, in_force, in_state, police, reviewer, sighting
from people import NOW

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.audit.models import Entry
from ceir.registry.cases.leaving import recover, reject, restore, withdraw
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import move
from ceir.registry.cases.states import BLOCKING, ENDED, MOVES, CaseError, IllegalMoveError, Mode, State
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.cases.verifying import ask_for_block, verify
from ceir.registry.proposals.deciding import decide
from ceir.registry.proposals.models import Proposal
from ceir.registry.proposals.models import State as ProposalState

REACHED = {
    (mode, state)
    for mode in Mode
    for state in State
    if state is State.REPORTED or any(state in ways for ways in MOVES[mode].values())
}
EVERY = [(mode, here, there) for mode, here in sorted(REACHED, key=str) for there in State]
LEGAL = [(mode, here, there) for mode, here, there in EVERY if there in MOVES[mode].get(here, ())]
ILLEGAL = [case for case in EVERY if case not in LEGAL]


def block(case: Case) -> None:
    waiting = Proposal.objects.filter(subject=f"case:{case.pk}", state=ProposalState.OPEN.value).first()
    proposal = waiting or ask_for_block(case.pk, reason="x", actor=police(), at=NOW)
    decide(proposal.pk, accept=True, actor=reviewer(), reason="x", at=NOW)


def see(case: Case) -> None:
    take_sightings([sighting()], actor=SYSTEM, at=NOW)
    if fresh(case).state != State.SEEN.value or case.state == State.SEEN.value:
        raise CaseError("not followed")


SERVICES: dict[State, Callable[[Case], object]] = {
    State.VERIFIED: lambda case: verify(case.pk, reason="x", actor=police(), at=NOW),
    State.BLOCKED: block,
    State.SEEN: see,
    State.RECOVERED: lambda case: recover(case.pk, reason="x", actor=police(), at=NOW),
    State.RESTORED: lambda case: restore(case.pk, reason="x", actor=police(), at=NOW),
    State.WITHDRAWN: lambda case: withdraw(case.pk, reason="x", actor=police(), at=NOW),
    State.REJECTED: lambda case: reject(case.pk, reason="x", actor=police(), at=NOW),
}


def name(value: object) -> str:
    return str(value.value) if isinstance(value, Mode | State) else repr(value)


def test_every_state_is_reached_but_a_block_in_recovery_mode() -> None:
    assert {(mode, state) for mode in Mode for state in State} - REACHED == {(Mode.RECOVERY, State.BLOCKED)}
    assert (len(EVERY), len(LEGAL)) == (120, 26)
    assert {state for mode in Mode for state in State if (mode, state) in REACHED} == set(State)
    assert all(not MOVES[mode].get(state) for mode in Mode for state in ENDED)


@pytest.mark.parametrize(("mode", "here", "there"), LEGAL, ids=name)
def test_what_the_table_has_is_done(mode: Mode, here: State, there: State) -> None:
    case = in_state(mode, here)
    SERVICES[there](case)
    after = fresh(case)
    assert State(after.state) is there
    assert (after.ended_at is not None) == (there in ENDED)
    assert bool(in_force()) == (mode is Mode.BLOCK and there in BLOCKING)
    verify_record()


@pytest.mark.parametrize(("mode", "here", "there"), ILLEGAL, ids=name)
def test_what_the_table_has_not_is_refused_and_changes_nothing(mode: Mode, here: State, there: State) -> None:
    case = in_state(mode, here)
    before, entries = Case.objects.values().get(pk=case.pk), Entry.objects.count()
    blocks = in_force()
    with pytest.raises(IllegalMoveError, match=f"cannot become {there.value}"):
        move(fresh(case), there, actor=police(), at=NOW, reason="x")
    if there in SERVICES:
        with pytest.raises(CaseError):
            SERVICES[there](case)
    after = Case.objects.values().get(pk=case.pk)
    assert {key: str(value) for key, value in after.items()} == {k: str(v) for k, v in before.items()}
    assert Entry.objects.count() == entries
    assert in_force() == blocks


def test_an_unknown_case_is_an_error_with_a_hint() -> None:
    for service in (withdraw, reject, recover, restore):
        with pytest.raises(CaseError) as refused:
            service(4711, reason="x", actor=police(), at=NOW)
        assert refused.value.code == "case_unknown"
        assert refused.value.hint
