"""Out of a block, and out of a case: one person with the permission does it, and it holds at once."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.audit.chain import record
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import locked, move, require_for, save
from ceir.registry.cases.states import State
from ceir.registry.cases.telling import tell_owner
from ceir.registry.free_text import free_text
from ceir.registry.notices.models import Event
from ceir.registry.proposals.models import Proposal
from ceir.registry.proposals.models import State as ProposalState

BLOCK_KIND = "case.block"
"""Name of the kind of proposal by which two people block; it stands in `proposing`."""

UNDECIDED_REASON = "Nobody decided in time."


def withdraw(case_id: int, *, reason: str, actor: Actor, at: datetime) -> Case:
    """Take a report back.

    Raises:
        PermissionDeniedError: it is not the actor's.
        CaseError: there is none, or it has ended or was recovered.
    """
    return _leave_case(case_id, State.WITHDRAWN, Permission.CASE_AMEND, reason, actor, at)


def reject(case_id: int, *, reason: str, actor: Actor, at: datetime) -> Case:
    """Find a report untrue, before or after it blocked.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: there is none, or it has ended or was recovered.
        TextRefusedError: no reason is given.
    """
    return _leave_case(case_id, State.REJECTED, Permission.CASE_VERIFY, reason, actor, at)


def recover(case_id: int, *, reason: str, actor: Actor, at: datetime) -> Case:
    """Record that a device was found; it is not blocked any more.

    Args:
        reason: how and by whom.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: there is none, or nobody verified it yet, or it has ended.
    """
    return _leave_case(case_id, State.RECOVERED, Permission.CASE_RECOVER, reason, actor, at)


def restore(case_id: int, *, reason: str, actor: Actor, at: datetime) -> Case:
    """Record that a recovered device is with its owner again: the case ends.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: there is none, or the device is not recovered.
    """
    return _leave_case(case_id, State.RESTORED, Permission.CASE_RECOVER, reason, actor, at)


def leave(case: Case, to: State, *, actor: Actor, at: datetime, reason: str) -> None:
    """Move a case to where it blocks nothing.

    This is the one way out: trying to unblock goes it before anything is blocked.

    Args:
        case: locked.

    Raises:
        IllegalMoveError: the table has no such move.
    """
    case.provisional_until = None
    move(case, to, actor=actor, at=at, reason=reason)
    _close_proposal(case, actor, at)


def lift_provisional(
    case: Case, *, actor: Actor = SYSTEM, at: datetime, reason: str = UNDECIDED_REASON
) -> None:
    """End a provisional block; the case stays where it stands and can still be verified and blocked by two.

    Args:
        case: locked, and blocked provisionally.
    """
    case.provisional_until = None
    save(case, at)
    record(actor, "case.provisional_lifted", f"case:{case.pk}", at=at, basis=reason)
    tell_owner(case, Event.CASE_LAPSED, at)


def ways_out_of_block() -> tuple[Callable[[Case, Actor, datetime], None], ...]:
    """Every way out of a block, each to its end, before and after the device was seen."""
    ends = ((State.WITHDRAWN,), (State.REJECTED,), (State.RECOVERED,), (State.RECOVERED, State.RESTORED))
    return tuple(_way(begins + end) for begins in ((), (State.SEEN,)) for end in ends)


def ways_out_of_provisional_block() -> tuple[Callable[[Case, Actor, datetime], None], ...]:
    """Every way out of a provisional block: taken back, found untrue, its deadline passed."""

    def lift(case: Case, actor: Actor, at: datetime) -> None:
        lift_provisional(case, actor=actor, at=at)

    return _way((State.WITHDRAWN,)), _way((State.REJECTED,)), lift


def _way(states: tuple[State, ...]) -> Callable[[Case, Actor, datetime], None]:
    def go(case: Case, actor: Actor, at: datetime) -> None:
        for state in states:
            step = move if state is State.SEEN else leave
            step(case, state, actor=actor, at=at, reason="tried before blocking")

    return go


def _leave_case(
    case_id: int, to: State, permission: Permission, reason: str, actor: Actor, at: datetime
) -> Case:
    kept = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        case = locked(case_id)
        require_for(actor, permission, case)
        leave(case, to, actor=actor, at=at, reason=kept)
    return case


def _close_proposal(case: Case, actor: Actor, at: datetime) -> None:
    """Nobody need decide any more on blocking a case that was left.

    One that is being decided just now is passed over instead of waited for: who decides it waits for this
    case, and finds then that it cannot be blocked.
    """
    waiting = Proposal.objects.select_for_update(skip_locked=True).filter(
        kind=BLOCK_KIND, subject=f"case:{case.pk}", state=ProposalState.OPEN.value
    )
    for proposal in waiting:
        proposal.state, proposal.decided_at = ProposalState.WITHDRAWN.value, at
        proposal.decision_reason = f"The case is {case.state}."
        proposal.save()
        record(actor, "proposal.withdrawn", f"proposal:{proposal.pk}", at=at, basis=proposal.decision_reason)
