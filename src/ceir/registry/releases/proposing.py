"""What of releases and overrides takes two people."""

from datetime import datetime

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.releases.models import Release, ReleaseState
from ceir.registry.releases.overriding import BEGIN, END
from ceir.registry.releases.planning import ReleaseError
from ceir.registry.releases.releasing import begin


def propose_start(release_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask for a release to start that is larger than one person may decide.

    Raises:
        ReleaseError: it is not planned.
        PermissionDeniedError, ProposalError: as `propose`.
    """
    planned = Release.objects.filter(pk=release_id, state=ReleaseState.PLANNED.value)
    if not planned.exists():
        raise ReleaseError(f"Release {release_id} is not planned.", "Plan one first.")
    return propose(START, f"release:{release_id}", {"release": release_id}, actor=actor, reason=reason, at=at)


def _start(proposal: Proposal, actor: Actor, at: datetime) -> None:
    release = Release.objects.select_for_update().get(pk=proposal.payload["release"])
    begin(release, actor, at)


START = ProposalKind(
    name="release.start",
    doc="Start a release of blocks that is larger than one person may decide.",
    may_propose=Permission.RELEASE_MANAGE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=_start,
)

KINDS = (START, BEGIN, END)
