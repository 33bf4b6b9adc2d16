"""What a document is, read from its octets: names and declared types are what somebody says."""

import zlib
from enum import Enum
from typing import ClassVar

from ceir.errors import CeirError

MOST_PIXELS = 250_000_000
"""More than any camera of a phone makes; a picture that claims more is there to fill a viewer's memory."""

_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_WITHIN_A_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})
_PDF_END_WITHIN = 1024


class DocumentRefusedError(CeirError):
    """A document is not what may be handed in here: another type, too large, broken or empty."""

    code: ClassVar[str] = "document_refused"


class MediaType(Enum):
    """What can be kept. The value is what it is served as."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    PDF = "application/pdf"


PHOTOS = frozenset({MediaType.JPEG, MediaType.PNG})
"""What a camera or a screen makes."""

PAPERS = frozenset(MediaType)
"""Photos, and scans or letters as PDF."""


def media_type_of(octets: bytes) -> MediaType:
    """The type, after its outline was walked from the first octet to its end; nothing is decompressed.

    Raises:
        DocumentRefusedError: none of them, cut short, or a picture of no size or of too many pixels.
    """
    if octets.startswith(_PNG):
        _walk_png(octets)
        return MediaType.PNG
    if octets.startswith(bytes((0xFF, _START_OF_IMAGE, 0xFF))):
        _walk_jpeg(octets)
        return MediaType.JPEG
    if octets.startswith(b"%PDF-"):
        if b"%%EOF" not in octets[-_PDF_END_WITHIN:]:
            raise _broken("PDF")
        return MediaType.PDF
    raise DocumentRefusedError("The document is no JPEG, PNG or PDF.", "Take a photo or scan it.")


def _walk_png(octets: bytes) -> None:
    place, kind, pixels = len(_PNG), b"", False
    while kind != b"IEND":
        size = int.from_bytes(octets[place : place + 4])
        kind = octets[place + 4 : place + 8]
        end = place + 8 + size
        check = octets[end : end + 4]
        if len(check) < 4 or zlib.crc32(octets[place + 4 : end]) != int.from_bytes(check):
            raise _broken("PNG")
        if (place == len(_PNG)) != (kind == b"IHDR"):
            raise _broken("PNG")
        if kind == b"IHDR":
            _require_size(octets[place + 8 : place + 12], octets[place + 12 : place + 16])
        pixels = pixels or kind == b"IDAT"
        place = end + 4
    if not pixels or place != len(octets):
        raise _broken("PNG")


def _walk_jpeg(octets: bytes) -> None:
    place, framed, scanned = 2, False, False
    while True:
        if octets[place : place + 1] != b"\xff":
            raise _broken("JPEG")
        while octets[place : place + 1] == b"\xff":  # any number of them may stand before a marker
            place += 1
        if place >= len(octets):
            raise _broken("JPEG")
        marker = octets[place]
        place += 1
        if marker == _END_OF_IMAGE:
            break  # cameras put previews and films behind it: viewers do not look at them
        if marker in _ALONE:
            continue
        size = int.from_bytes(octets[place : place + 2])
        if size < 2 or place + size > len(octets):
            raise _broken("JPEG")
        if marker in _FRAMES:
            _require_size(octets[place + 3 : place + 5], octets[place + 5 : place + 7])
            framed = True
        place += size
        if marker == _START_OF_SCAN:
            scanned = True
            place = _end_of_scan(octets, place)
    if not framed or not scanned:
        raise _broken("JPEG")


def _end_of_scan(octets: bytes, place: int) -> int:
    while True:
        place = octets.find(b"\xff", place)
        if place < 0 or place + 1 >= len(octets):
            raise _broken("JPEG")
        if octets[place + 1] not in _WITHIN_A_SCAN:
            return place
        place += 2


def _require_size(first: bytes, second: bytes) -> None:
    if not 0 < int.from_bytes(first) * int.from_bytes(second) <= MOST_PIXELS:
        raise DocumentRefusedError(
            "The picture has no pixels, or too many.", f"At most {MOST_PIXELS:,} pixels; take it smaller."
        )


def _broken(name: str) -> DocumentRefusedError:
    return DocumentRefusedError(
        f"The document starts as a {name} and is none, or is cut short.", "Send it again."
    )
