"""What waits for a second person."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from ceir.api.paging import Page, page_of
from ceir.api.problems import NotFoundError
from ceir.api.tokens import Caller
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.proposals.deciding import decide
from ceir.registry.proposals.models import Proposal

ROUTER = Router()


class Request(HttpRequest):
    """A request with a token."""

    auth: Caller


class ProposalOut(Schema):
    """A proposal as it stands."""

    id: int
    kind: str
    subject: str
    reason: str
    state: str
    proposed_role: str
    proposed_at: datetime
    expires_at: datetime
    decided_role: str
    decided_at: datetime | None


class Decision(Schema):
    """What the second person says."""

    accept: bool
    reason: str


@ROUTER.get("", response=Page[ProposalOut], summary="Proposals, the newest first")
def list_proposals(request: Request, state: str = "open", cursor: str = "") -> dict[str, object]:
    """Page by page; `next` is the cursor of the page that follows."""
    require(request.auth.require(Permission.PROPOSAL_READ), Permission.PROPOSAL_READ)
    found = Proposal.objects.filter(state=state)
    return page_of(found, cursor)


@ROUTER.get("/{proposal_id}", response=ProposalOut, summary="One proposal")
def one_proposal(request: Request, proposal_id: int) -> Proposal:
    """As it stands."""
    require(request.auth.require(Permission.PROPOSAL_READ), Permission.PROPOSAL_READ)
    found = Proposal.objects.filter(pk=proposal_id).first()
    if found is None:
        raise NotFoundError(f"There is no proposal {proposal_id}.", "List those that wait.")
    return found


@ROUTER.post("/{proposal_id}/decision", response=ProposalOut, summary="Accept or reject, as a second person")
def decide_proposal(request: Request, proposal_id: int, decision: Decision) -> Proposal:
    """Carries the change out, or not; exactly once."""
    return decide(
        proposal_id,
        accept=decision.accept,
        actor=request.auth.require(Permission.PROPOSAL_DECIDE),
        reason=decision.reason,
        at=timezone.now(),
    )
