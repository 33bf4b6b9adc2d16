"""The record of deeds: for auditors, and for nobody to change."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.audit.models import Entry

DESKS = (
    Desk(
        Entry,
        sees=(Permission.AUDIT_READ,),
        shown=("sequence", "at", "actor", "role", "action", "subject", "basis"),
        filters=("role", "action"),
        find=("=subject", "=actor", "=sequence"),
    ),
)
