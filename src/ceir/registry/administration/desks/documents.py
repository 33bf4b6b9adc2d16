"""Photos and papers: that they are kept; what they show is read with what they belong to."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Desk
from ceir.registry.documents.models import Document

DESKS = (
    Desk(
        Document,
        sees=(Permission.PERSONAL_READ, Permission.AUDIT_READ),
        shown=("id", "subject", "kept_by", "kept_at", "shredded_at"),
        find=("=subject",),
    ),
)
