"""The record of what was done and read, for auditors."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from ceir.api.paging import Page, page_of
from ceir.api.tokens import Caller
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.audit.models import Entry

ROUTER = Router()


class Request(HttpRequest):
    """A request with a token."""

    auth: Caller


class EntryOut(Schema):
    """An entry; `digest` binds it to all before it."""

    sequence: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    basis: str
    detail: str
    digest: str

    @staticmethod
    def resolve_digest(entry: Entry) -> str:
        """In hexadecimal digits."""
        return bytes(entry.digest).hex()


@ROUTER.get("", response=Page[EntryOut], summary="Entries, the newest first")
def list_entries(request: Request, subject: str = "", cursor: str = "") -> dict[str, object]:
    """All of them, or those about one subject."""
    require(request.auth.require(Permission.AUDIT_READ), Permission.AUDIT_READ)
    found = Entry.objects.filter(subject=subject) if subject else Entry.objects.all()
    return page_of(found, cursor)
