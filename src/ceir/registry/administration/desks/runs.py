"""Runs that were taken over, and what they decided."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.runs.models import Change, Contact, Decision, Grounds, Run

_READ = (Permission.RUN_READ,)

DESKS = (
    Desk(
        Run, sees=_READ, shown=("number", "as_of", "country", "applied_at", "applied_by"), find=("=number",)
    ),
    Desk(
        Decision,
        sees=_READ,
        shown=("imei", "text", "outcome", "since", "block_on", "grounds"),
        filters=("outcome",),
        imei="imei",
    ),
    Desk(Change, sees=_READ, shown=("imei", "run", "before", "after", "block_on"), imei="imei"),
    Desk(Grounds, sees=_READ, shown=("id", "reasons", "conditions")),
    Desk(
        Contact,
        sees=(Permission.NOTICE_READ,),
        shown=("id", "imei", "operator", "block_on", "ended_at"),
        filters=("operator",),
        imei="imei",
        reveals=Permission.PERSONAL_READ,
    ),
)
