"""Lists of operators as they went out."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.editions.models import Edition, ListEntry

# An operator sees the lists of its own only, at the API; it has no desk.
_READ = (Permission.RELEASE_READ,)

DESKS = (
    Desk(
        Edition,
        sees=_READ,
        shown=("operator", "sequence", "run", "as_of", "made_at", "rows", "blocked"),
        filters=("operator",),
    ),
    Desk(
        ListEntry,
        sees=_READ,
        shown=("operator", "imei", "text", "status", "since", "block_on", "first", "ended"),
        filters=("status", "operator"),
        imei="imei",
    ),
)
