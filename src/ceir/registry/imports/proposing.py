"""A release that the checks speak against takes a reviewer besides customs."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.imports.models import State
from ceir.registry.imports.reasons import MEANINGS, Of, Reason
from ceir.registry.imports.receiving import subject
from ceir.registry.imports.releasing import doubts, release_without
from ceir.registry.imports.states import ConsignmentStateError, locked
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal


def propose_release(
    consignment_id: int, leave_out: Collection[Reason], *, actor: Actor, reason: str, at: datetime
) -> Proposal:
    """Ask that a consignment be released although checks speak against it.

    Args:
        leave_out: IMEIs and TACs found for these reasons are not released with it.

    Raises:
        PermissionDeniedError: the actor may not.
        ConsignmentStateError: it is not checked, or a reason is one of rows that were never taken.
        ProposalError: one waits already, or there is no reason.
    """
    require(actor, Permission.IMPORT_RELEASE)
    with transaction.atomic():
        consignment = locked(consignment_id)
        if consignment.state != State.CHECKED.value:
            raise ConsignmentStateError(
                f"Consignment {consignment.number} is {consignment.state}.",
                "Only what is checked is released.",
            )
        if any(MEANINGS[why].of is Of.ROW for why in leave_out):
            raise ConsignmentStateError(
                "Rows that were not taken cannot be left out.", "Name what checks found."
            )
        payload = {
            "leave_out": sorted(why.value for why in leave_out),
            "doubts": dict(doubts(consignment)),
        }
        return propose(RELEASE, subject(consignment), payload, actor=actor, reason=reason, at=at)


def _carry_out(proposal: Proposal, actor: Actor, at: datetime) -> None:
    release_without(
        int(proposal.subject.removeprefix("consignment:")),
        [Reason(why) for why in proposal.payload["leave_out"]],
        proposal.payload["doubts"],
        asked_by=proposal.proposed_by,
        actor=actor,
        at=at,
    )


RELEASE = ProposalKind(
    "import.release",
    "Release a consignment that checks speak against, with or without what they found.",
    Permission.IMPORT_RELEASE,
    Permission.IMPORT_REVIEW,
    _carry_out,
)
KINDS = (RELEASE,)
