"""What two people do to a case: block its devices."""

from datetime import datetime

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor
from ceir.registry.cases.blocking import block
from ceir.registry.cases.leaving import BLOCK_KIND, lift_provisional
from ceir.registry.cases.moving import locked
from ceir.registry.cases.states import State
from ceir.registry.proposals.deciding import ProposalKind
from ceir.registry.proposals.models import Proposal


def _turned_down(proposal: Proposal, actor: Actor, at: datetime) -> None:
    case = locked(int(proposal.subject.removeprefix("case:")))
    if case.state == State.VERIFIED.value and case.provisional_until is not None:
        lift_provisional(case, actor=actor, at=at, reason="Nobody else wanted the block.")


BLOCK = ProposalKind(
    name=BLOCK_KIND,
    doc="Block the devices of a verified case.",
    may_propose=Permission.CASE_VERIFY,
    may_decide=Permission.CASE_VERIFY,
    carry_out=block,
    turned_down=_turned_down,
)

KINDS = (BLOCK,)
