"""People, their numbers and SIMs: sealed until somebody reads them on a legal basis."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.subscribers.models import Line, Person, Sim

_READ = Permission.PERSONAL_READ

DESKS = (
    Desk(Person, sees=(_READ,), shown=("id", "entered_at", "ended_at"), find=("=pk",), reveals=_READ),
    Desk(Line, sees=(_READ,), shown=("id", "person", "since", "ended_at"), find=("=pk",), reveals=_READ),
    Desk(
        Sim,
        sees=(_READ,),
        shown=("id", "line", "operator", "since", "ended_at"),
        find=("=pk",),
        own=("operator",),
        reveals=_READ,
    ),
)
