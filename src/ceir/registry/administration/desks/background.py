"""What the register does by itself, and when it last did."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.background.models import LastRun

DESKS = (
    Desk(
        LastRun,
        sees=(Permission.ACCOUNT_MANAGE, Permission.AUDIT_READ),
        shown=("name", "started_at", "ended_at", "outcome", "failures", "told"),
        filters=("outcome",),
    ),
)
