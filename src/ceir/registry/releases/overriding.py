"""An emergency override: while it is in force nothing is blocked. Two people begin it, two end it early."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Q

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.releases.models import Override, OverrideAnswer

LONGEST = timedelta(days=31)
"""An override that lasts longer is no emergency any more: the policy is changed instead."""


class OverrideError(CeirError):
    """An override cannot be begun or ended."""

    code: ClassVar[str] = "override_refused"


def in_force(at: datetime, operator: str = "") -> Override | None:
    """The override that holds at a moment, at an operator; without one: at all of them."""
    where = Q(operator="") | Q(operator=operator)
    return (
        Override.objects.filter(where, begun_at__lte=at, until__gt=at)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at))
        .order_by("begun_at")
        .first()
    )


def propose_override(
    answer: OverrideAnswer, until: datetime, *, operator: str = "", reason: str, actor: Actor, at: datetime
) -> Proposal:
    """Ask for an override; a second person begins it.

    Args:
        until: aware moment at which it ends by itself, at most `LONGEST` ahead.
        operator: id of the only operator it holds at; empty: all.

    Raises:
        OverrideError: it would end too late or is over already; one is in force.
        PermissionDeniedError, ProposalError: as `propose`.
    """
    if not at < until <= at + LONGEST:
        raise OverrideError(
            "An override ends within 31 days.", "Change the policy for what is to last longer."
        )
    if in_force(at, operator) is not None:
        raise OverrideError("An override is in force.", "End that one first.")
    payload = {"answer": answer.value, "until": until.isoformat(), "operator": operator}
    return propose(BEGIN, f"override:{operator or 'all'}", payload, actor=actor, reason=reason, at=at)


def propose_end(override_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask to end an override before its time; a second person ends it.

    Raises:
        OverrideError: it is not in force.
        PermissionDeniedError, ProposalError: as `propose`.
    """
    found = Override.objects.filter(pk=override_id).first()
    if found is None or found.ended_at is not None or found.until <= at:
        raise OverrideError(f"Override {override_id} is not in force.", "See which one is.")
    return propose(
        END, f"override:{override_id}", {"override": override_id}, actor=actor, reason=reason, at=at
    )


def _begin(proposal: Proposal, actor: Actor, at: datetime) -> None:
    payload: dict[str, Any] = proposal.payload
    until, operator = datetime.fromisoformat(payload["until"]), str(payload["operator"])
    if until <= at:
        raise OverrideError("The override would be over already.", "Propose it anew.")
    if in_force(at, operator) is not None:
        raise OverrideError("An override is in force.", "End that one first.")
    begun = Override.objects.create(
        operator=operator,
        answer=OverrideAnswer(payload["answer"]).value,
        reason=proposal.reason,
        begun_at=at,
        proposed_by=proposal.proposed_by,
        decided_by=actor.id,
        until=until,
    )
    record(
        actor, "override.begun", f"override:{begun.pk}", at=at, basis=proposal.reason[:300], detail=payload
    )


def _end(proposal: Proposal, actor: Actor, at: datetime) -> None:
    found = Override.objects.select_for_update().filter(pk=proposal.payload["override"]).first()
    if found is None or found.ended_at is not None:
        raise OverrideError("The override is not in force any more.", "There is nothing to end.")
    found.ended_at, found.ended_by = at, actor.id
    found.save()
    record(actor, "override.ended", f"override:{found.pk}", at=at, basis=proposal.reason[:300])


BEGIN = ProposalKind(
    name="override.begin",
    doc="Tell networks one answer for every device, whatever was decided: an emergency.",
    may_propose=Permission.OVERRIDE_PROPOSE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=_begin,
    days=1,
)
END = ProposalKind(
    name="override.end",
    doc="End an override before its time: what is blocked is blocked again.",
    may_propose=Permission.OVERRIDE_PROPOSE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=_end,
    days=1,
)
