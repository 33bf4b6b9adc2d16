"""An operator's own exceptions: subscribers for whom blocked equipment works; whole, or what changed."""

from datetime import datetime
from typing import Annotated

from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from ceir.api.list_signatures import header_of, signature_of
from ceir.api.parsing import ReadOn
from ceir.api.terms import terms
from ceir.api.tokens import Request
from ceir.equipment_check.keys import KeyRefusedError
from ceir.registry.accounts.permissions import Permission
from ceir.registry.editions import excepting
from ceir.registry.editions.models import ExceptionEdition
from ceir.registry.editions.numbering import EditionGoneError, NoEditionError
from ceir.registry.personal.fields import Access

ROUTER = Router()

_REFUSES = (EditionGoneError, KeyRefusedError, NoEditionError)
_CSV = {"responses": {200: {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}}}


class ExceptionEditionOut(Schema):
    """An edition of an operator's exceptions; `sha256` is of the whole list as it is sent.

    `signature` is Ed25519 in base64 over five lines: `ceir-exceptions-1`, operator, sequence, the day of
    `made_at`, sha256.
    """

    operator: str
    sequence: int
    made_at: datetime
    rows: int
    sha256: str
    signed_by: str | None
    signature: str | None

    @staticmethod
    def resolve_signed_by(edition: ExceptionEdition) -> str | None:
        """Id of the key, as snapshots name it."""
        made = signature_of(edition)
        return made[0] if made else None

    @staticmethod
    def resolve_signature(edition: ExceptionEdition) -> str | None:
        """Null: the installer has no key."""
        made = signature_of(edition)
        return made[1] if made else None


class ChangesSince(ReadOn):
    """The edition that the caller has; 0: none."""

    since: Annotated[int, Field(ge=0, le=2**31 - 1)]


@ROUTER.get("", response=ExceptionEditionOut, summary="The newest edition of the own exceptions")
@terms(Permission.EXCEPTION_READ, refuses=_REFUSES)
def current_exceptions(request: Request) -> ExceptionEdition:
    """For operators only: nobody else is told even how many there are."""
    return excepting.current_exceptions(request.auth.actor)


@ROUTER.post("/whole", response=None, summary="The own exceptions as CSV", openapi_extra=_CSV)
@terms(Permission.EXCEPTION_READ, refuses=_REFUSES, own_transactions=True, legal_basis=True, cost=50)
def whole_exceptions(request: Request, on: ReadOn) -> HttpResponse:
    """`imei,imsi`, sorted; that it was read is recorded with the basis."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    return _sent(*excepting.read_whole(access=access))


@ROUTER.post("/changes", response=None, summary="What changed of them, as CSV", openapi_extra=_CSV)
@terms(Permission.EXCEPTION_READ, refuses=_REFUSES, own_transactions=True, legal_basis=True, cost=10)
def exception_changes(request: Request, on: ChangesSince) -> HttpResponse:
    """`added` and `removed` lines: done to edition `since` and sorted they give that of `Ceir-Sequence`."""
    access = Access(request.auth.actor, timezone.now(), on.basis)
    return _sent(*excepting.read_changes(on.since, access=access))


def _sent(edition: ExceptionEdition, text: bytes) -> HttpResponse:
    headers = {
        "Ceir-Sequence": str(edition.sequence),
        "Ceir-List-Digest": edition.sha256,
        "Cache-Control": "no-store",
        **header_of(edition),
    }
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
