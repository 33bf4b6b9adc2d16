"""Texts as short messages carry them: in the alphabet of GSM or as UCS-2, and cut into parts."""

import zlib
from dataclasses import dataclass

# 3GPP TS 23.038 clause 6.2.1: the default alphabet, by code; 0x1B announces one of the extension (6.2.1.1).
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40,
    "€": 0x65,
}  # fmt: skip
_CODES = {character: bytes([code]) for code, character in enumerate(_BASIC) if character != "\x1b"} | {
    character: bytes([0x1B, code]) for character, code in _EXTENSION.items()
}

GSM_WHOLE, GSM_PART = 160, 153
"""Septets of a message alone, and of a part of a longer one (3GPP TS 23.040 clause 9.2.3.24.1)."""
UCS2_WHOLE, UCS2_PART = 140, 134
"""Octets, likewise."""
MOST_PARTS = 10
"""Nobody reads more of a notice, and each part is paid for."""

DEFAULT_ALPHABET, UCS2 = 0x00, 0x08
"""Data codings, SMPP 3.4 clause 5.2.19."""


@dataclass(frozen=True)
class Encoded:
    """A text as parts of a short message.

    Args:
        coding: the data coding.
        headed: whether every part begins with a user data header.
    """

    coding: int
    parts: tuple[bytes, ...]
    headed: bool


def encode(text: str, reference: str) -> Encoded:
    """Cut a text into parts; the same text and reference give the same.

    Args:
        reference: what the parts' common number is made of.

    Raises:
        ValueError: it is empty, or longer than `MOST_PARTS`.
    """
    if not text:
        raise ValueError("there is no text")
    units = [_CODES.get(character) for character in text]
    septets = [unit for unit in units if unit is not None]
    if len(septets) == len(units):
        coding, whole, part, chosen = DEFAULT_ALPHABET, GSM_WHOLE, GSM_PART, septets
    else:
        coding, whole, part = UCS2, UCS2_WHOLE, UCS2_PART
        # A character beyond the first plane is two units that must stay together.
        chosen = [character.encode("utf-16-be") for character in text]
    if sum(map(len, chosen)) <= whole:
        return Encoded(coding, (b"".join(chosen),), headed=False)
    pieces = _cut(chosen, part)
    if len(pieces) > MOST_PARTS:
        raise ValueError(f"the text needs {len(pieces)} parts; at most {MOST_PARTS} are sent")
    number = zlib.crc32(reference.encode()) & 0xFF
    return Encoded(
        coding,
        tuple(bytes([5, 0, 3, number, len(pieces), n]) + piece for n, piece in enumerate(pieces, 1)),
        headed=True,
    )


def _cut(units: list[bytes], most: int) -> list[bytes]:
    pieces = [b""]
    for unit in units:
        if len(pieces[-1]) + len(unit) > most:
            pieces.append(b"")
        pieces[-1] += unit
    return pieces
