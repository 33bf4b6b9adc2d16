"""Moving a case from state to state: the one place where that is written."""

from datetime import datetime
from typing import ClassVar

from ceir.registry.accounts.permissions import Permission, PermissionDeniedError, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.cases.models import NOBODY, Case
from ceir.registry.cases.states import ENDED, CaseError, Mode, State, require_move
from ceir.registry.cases.telling import EVENT_OF, tell_owner


class UnknownCaseError(CaseError):
    """There is no such case."""

    code: ClassVar[str] = "case_unknown"


def locked(case_id: int) -> Case:
    """A case that nobody else changes until the transaction ends.

    Lock a case before anything is recorded: the record has one end, for which all wait.

    Raises:
        UnknownCaseError: there is none.
    """
    case = Case.objects.select_for_update().filter(pk=case_id).first()
    if case is None:
        raise UnknownCaseError(f"There is no case {case_id}.", "Look for it by its device.")
    return case


def require_for(actor: Actor, permission: Permission, case: Case) -> None:
    """Let an actor go on with a case, or refuse.

    What is one's own: to the police the cases of their station and those they reported, to an operator those
    it reported, to a consumer those he reported himself.

    Raises:
        PermissionDeniedError: refused.
    """
    if actor.acts_as is Role.CONSUMER and case.reported_by != actor.id:
        raise PermissionDeniedError(
            f"{permission.value} is not for consumers here.", "Only for cases that you reported yourself."
        )
    own = actor.organisation in (case.organisation_id, case.police_id)
    require(actor, permission, owner=actor.organisation if own else NOBODY)


def move(case: Case, to: State, *, actor: Actor, at: datetime, reason: str) -> None:
    """Write that a case moved, and record it. Nothing else writes `Case.state`.

    Args:
        case: locked. What the move brings with it was set on it and is saved with it.
        reason: at most 300 characters.

    Raises:
        IllegalMoveError: the table has no such move.
    """
    came_from = State(case.state)
    require_move(Mode(case.mode), came_from, to)
    case.state = to.value
    case.reason = reason
    if to in ENDED:
        case.ended_at = at
    save(case, at)
    record(actor, f"case.{to.value}", f"case:{case.pk}", at=at, basis=reason,
           detail={"from": came_from.value, "mode": case.mode})  # fmt: skip
    if to in EVENT_OF:
        tell_owner(case, EVENT_OF[to], at)


def save(case: Case, at: datetime) -> None:
    """Save everything of a case but what is personal: that is written once, and shredded elsewhere."""
    case.changed_at = at
    case.save(
        update_fields=(
            "state",
            "reason",
            "police",
            "police_reference",
            "number_proven_at",
            "verified_by",
            "verified_at",
            "provisional_from",
            "provisional_until",
            "no_provisional_block",
            "unblocking_tried_at",
            "block_proposal",
            "blocked_at",
            "seen_at",
            "ended_at",
            "changed_at",
        )
    )
