"""What waits for a second person."""

from datetime import datetime
from typing import Annotated

from django.utils import timezone
from ninja import Router, Schema

from ceir.api.paging import CursorError, Page, page_of
from ceir.api.parsing import Key, Reason, one_of
from ceir.api.problems import NotFoundError
from ceir.api.terms import Example, Guard, terms
from ceir.api.tokens import Request
from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.proposals.deciding import decide, seen_by
from ceir.registry.proposals.models import Proposal, State

ROUTER = Router()

ProposalState = Annotated[State, one_of(State)]


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
    reason: Reason


_WAITING = {
    "id": 1,
    "kind": "case.block",
    "subject": "case:1",
    "reason": "the bill fits",
    "state": "open",
    "proposed_role": "police",
    "proposed_at": "2026-11-22T09:00:00Z",
    "expires_at": "2026-12-06T09:00:00Z",
    "decided_role": "",
    "decided_at": None,
}
_DRAWN = frozenset({"id", "subject", "proposed_at", "expires_at", "decided_at"})


@ROUTER.get("", response=Page[ProposalOut], summary="Proposals, the newest first")
@terms(
    Permission.PROPOSAL_READ,
    refuses=(CursorError,),
    examples=(
        Example(
            "One waits",
            "a proposal waits",
            Role.REVIEWER,
            query={"state": "open"},
            answer={"items": [_WAITING], "next": None},
            varies=_DRAWN,
        ),
    ),
)
def list_proposals(
    request: Request, state: ProposalState = State.OPEN, cursor: str = ""
) -> dict[str, object]:
    """Page by page; `next` is the cursor of the page that follows."""
    found = seen_by(request.auth.actor).filter(state=state.value)
    return page_of(found, cursor)


@ROUTER.get("/{proposal_id}", response=ProposalOut, summary="One proposal")
@terms(
    Permission.PROPOSAL_READ,
    refuses=(NotFoundError,),
    examples=(
        Example(
            "It waits",
            "a proposal waits",
            Role.REVIEWER,
            path={"proposal_id": 1},
            answer=_WAITING,
            varies=_DRAWN,
        ),
    ),
)
def one_proposal(request: Request, proposal_id: Key) -> Proposal:
    """As it stands."""
    found = seen_by(request.auth.actor).filter(pk=proposal_id).first()
    if found is None:
        raise NotFoundError(f"There is no proposal {proposal_id} for you.", "List those that wait.")
    return found


@ROUTER.post("/{proposal_id}/decision", response=ProposalOut, summary="Accept or reject, as a second person")
@terms(
    Permission.PROPOSAL_DECIDE,
    refuses=(CeirError,),
    guard=Guard(one_proposal, Proposal, "proposal_id"),
    examples=(
        Example(
            "Rejected",
            "a proposal waits",
            Role.REVIEWER,
            path={"proposal_id": 1},
            body={"accept": False, "reason": "the bill is another phone's"},
            answer={**_WAITING, "state": "rejected", "decided_role": "reviewer"},
            varies=_DRAWN,
        ),
    ),
)
def decide_proposal(request: Request, proposal_id: Key, decision: Decision) -> Proposal:
    """Carries the change out, or not; exactly once."""
    one_proposal(request, proposal_id)
    return decide(
        proposal_id,
        accept=decision.accept,
        actor=request.auth.require(Permission.PROPOSAL_DECIDE),
        reason=decision.reason,
        at=timezone.now(),
    )
