"""Photos and papers: that they are kept; what they show is read with what they belong to."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.documents.models import Document
from ceir.registry.office.declaring import Desk

DESKS = (
    Desk(
        Document,
        sees=(Permission.PERSONAL_READ, Permission.AUDIT_READ),
        shown=("id", "subject", "kept_by", "kept_at", "shredded_at"),
        find=("=subject",),
    ),
)
