"""Pairings of equipment with lines; the codes by which they are made are nobody's to see."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, in_state, reason, with_reason
from ceir.registry.pairings.models import PairCode, Pairing, State
from ceir.registry.pairings.pairing import propose_release

_MANAGE = Permission.PAIRING_MANAGE
_SEES = (_MANAGE, Permission.RUN_READ)

DESKS = (
    Desk(
        Pairing,
        sees=_SEES,
        shown=("id", "imei", "line", "ground", "because", "state", "in_force_at", "ended_at"),
        filters=("state", "ground"),
        imei="imei",
        deeds=(
            Deed(
                "release",
                "Ask for its release",
                _MANAGE,
                with_reason(propose_release),
                {"reason": reason},
                in_state(State.IN_FORCE),
            ),
        ),
    ),
    Desk(PairCode, sees=_SEES, shown=("id", "imei", "made_at", "expires_at", "withdrawn_at"), imei="imei"),
)
