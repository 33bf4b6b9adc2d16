"""Who was told what, and when; numbers are sealed, and so are the words."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.notices.models import Notice, Part, Report, Sending

_READ = (Permission.NOTICE_READ,)

DESKS = (
    Desk(
        Notice,
        sees=_READ,
        shown=("id", "event", "about", "imei", "state", "block_on", "made_at", "sent_at"),
        filters=("state", "event"),
        find=("=about",),
        # With the code a person knows a message to be ours; the words of a one-time code are the code.
        hidden=frozenset({"code", "words"}),
        reveals=Permission.PERSONAL_READ,
        imei="imei",
    ),
    Desk(Sending, sees=_READ, shown=("notice", "number", "gateway", "at", "outcome"), filters=("outcome",)),
    Desk(Part, sees=_READ, shown=("sending", "gateway", "state")),
    Desk(Report, sees=_READ, shown=("gateway", "state", "kept_at", "settled_at"), filters=("state",)),
)
