"""Parts of answers that several endpoints share."""

from datetime import datetime
from typing import Any, BinaryIO, cast

from django.http import HttpResponse
from ninja import Schema
from ninja.files import UploadedFile

from ceir.registry.documents.keeping import MOST_OCTETS
from ceir.registry.documents.media_types import DocumentRefusedError, MediaType


class ProposalRef(Schema):
    """What waits for a second person."""

    id: int
    kind: str
    subject: str
    state: str
    expires_at: datetime


def octets_of(file: UploadedFile) -> bytes:
    """What was uploaded; its name and what it says of its type are not looked at.

    Raises:
        DocumentRefusedError: larger than any document may be.
    """
    octets: bytes = file.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise DocumentRefusedError("The document is too large.", f"At most {MOST_OCTETS // 2**20} MB.")
    return octets


def source_of(file: UploadedFile) -> BinaryIO:
    """What was uploaded, to be read forward."""
    return cast("BinaryIO", file)


def octets_answer(what: str) -> dict[str, Any]:
    """For `openapi_extra` of an operation that answers with a document."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {
        "responses": {
            200: {"description": what, "content": {media.value: binary for media in MediaType}},
        }
    }


def octets_response(octets: bytes, media_type: str) -> HttpResponse:
    """A document as it is sent: never shown within a page of ours, never kept by what lies between."""
    return HttpResponse(
        octets,
        content_type=media_type,
        headers={"Content-Disposition": "attachment", "Cache-Control": "no-store"},
    )
