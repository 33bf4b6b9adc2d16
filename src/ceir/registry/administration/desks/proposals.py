"""What waits for a second person."""

from functools import partial

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, in_state, plain, reason, with_reason
from ceir.registry.proposals.deciding import decide, seen_by, withdraw
from ceir.registry.proposals.models import Proposal, State

_OPEN = in_state(State.OPEN)


DESKS = (
    Desk(
        Proposal,
        sees=(Permission.PROPOSAL_READ,),
        shown=("kind", "subject", "state", "reason", "proposed_role", "proposed_at", "expires_at"),
        filters=("state", "kind"),
        find=("=subject",),
        among=seen_by,
        deeds=(
            Deed(
                "accept",
                "Accept",
                Permission.PROPOSAL_READ,
                with_reason(partial(decide, accept=True)),
                {"reason": reason},
                _OPEN,
            ),
            Deed(
                "reject",
                "Reject",
                Permission.PROPOSAL_READ,
                with_reason(partial(decide, accept=False)),
                {"reason": reason},
                _OPEN,
            ),
            Deed("withdraw", "Take it back", Permission.PROPOSAL_READ, plain(withdraw), when=_OPEN),
        ),
    ),
)
