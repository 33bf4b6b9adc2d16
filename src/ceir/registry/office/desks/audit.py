"""The record of deeds: for auditors, and for nobody to change."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.audit.models import Entry
from ceir.registry.office.declaring import Desk

DESKS = (
    Desk(
        Entry,
        sees=(Permission.AUDIT_READ,),
        shown=("sequence", "at", "actor", "role", "action", "subject", "basis"),
        filters=("role", "action"),
        find=("=subject", "=actor", "=sequence"),
    ),
)
