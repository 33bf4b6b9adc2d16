"""The record of what was done and read, for auditors."""

from datetime import datetime

from ninja import Router, Schema

from ceir.api.paging import CursorError, Page, page_of
from ceir.api.terms import Example, terms
from ceir.api.tokens import Request
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Role
from ceir.registry.audit.models import Entry

ROUTER = Router()


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
@terms(
    Permission.AUDIT_READ,
    refuses=(CursorError,),
    examples=(
        Example(
            "What was done with a case",
            "a case was verified",
            Role.AUDITOR,
            query={"subject": "case:1"},
            answer={
                "items": [
                    {
                        "sequence": 12,
                        "at": "2026-11-22T09:00:00Z",
                        "actor": "account:7",
                        "role": "police",
                        "action": "case.verified",
                        "subject": "case:1",
                        "basis": "the bill fits",
                        "detail": "{}",
                        "digest": "9f" * 32,
                    }
                ],
                "next": None,
            },
            varies=frozenset({"sequence", "at", "actor", "subject", "digest", "items", "detail"}),
        ),
    ),
)
def list_entries(request: Request, subject: str = "", cursor: str = "") -> dict[str, object]:
    """All of them, or those about one subject."""
    found = Entry.objects.filter(subject=subject) if subject else Entry.objects.all()
    return page_of(found, cursor)
