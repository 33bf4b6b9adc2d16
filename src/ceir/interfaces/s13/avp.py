"""Attribute-value pairs: octets to values and back, with the errors that Diameter has a result code for."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from ceir.errors import CeirError
from ceir.interfaces.s13.dictionary import AvpType, Kind, Result

VENDOR_FLAG: Final = 0x80
MANDATORY_FLAG: Final = 0x40
PROTECTED_FLAG: Final = 0x20
_RESERVED_FLAGS: Final = 0x1F

_HEADER = struct.Struct(">II")
_U32 = struct.Struct(">I")
PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")
"""What follows an AVP, by its length modulo 4."""


class RefusedError(CeirError):
    """A message breaks a rule that Diameter has a result code for.

    Args:
        result: the code to answer.
        failed: the offending AVPs, whole and padded: the content of Failed-AVP; empty: none is sent.
    """

    code: ClassVar[str] = "s13_request_refused"

    def __init__(self, result: Result, detail: str, failed: bytes = b"") -> None:
        super().__init__(detail, f"Answered with result code {int(result)}.")
        self.result = result
        self.failed = failed


class Avp(NamedTuple):
    """One attribute as it came: `raw` is all of it, header included, without padding."""

    code: int
    flags: int
    vendor: int
    data: bytes
    raw: bytes

    @property
    def unsigned(self) -> int:
        """The data as an unsigned number."""
        return int.from_bytes(self.data, "big")


def encode(kind: AvpType, data: bytes, *, mandatory: bool = True) -> bytes:
    """One attribute with its header and its padding. Source: RFC 6733 clause 4.1."""
    flags = MANDATORY_FLAG if mandatory else 0
    if kind.vendor:
        size = 12 + len(data)
        head = struct.pack(">III", kind.code, (flags | VENDOR_FLAG) << 24 | size, kind.vendor)
    else:
        size = 8 + len(data)
        head = _HEADER.pack(kind.code, flags << 24 | size)
    return head + data + PADDING[size & 3]


def encode_unsigned(kind: AvpType, number: int, *, mandatory: bool = True) -> bytes:
    """One attribute of form Unsigned32 or Enumerated."""
    return encode(kind, _U32.pack(number), mandatory=mandatory)


def padded(raw: bytes) -> bytes:
    """An attribute with zeros up to the next multiple of four octets."""
    return raw + PADDING[len(raw) & 3]


def example(kind: AvpType) -> bytes:
    """An attribute with as many zeros as its form takes at least: how a missing one is named."""
    return encode(kind, bytes(kind.kind.least))


def read_avps(data: bytes) -> list[Avp]:
    """The attributes of a message's body or of a group, in order.

    Raises:
        RefusedError: INVALID_AVP_LENGTH, with a Failed-AVP as RFC 6733 clause 7.1.5 forms it;
            INVALID_AVP_BITS for a reserved flag or the vendor 0.
    """
    avps = []
    at, stop = 0, len(data)
    while at < stop:
        if stop - at < 8:
            raise _wrong_length("An AVP header is cut off.", data[at:].ljust(8, b"\0"))
        code, word = _HEADER.unpack_from(data, at)
        flags, size = word >> 24, word & 0xFFFFFF
        header = 12 if flags & VENDOR_FLAG else 8
        if size < header or size > stop - at:
            raise _wrong_length(
                f"AVP {code} says {size} octets where {header} to {stop - at} fit.",
                data[at : at + header].ljust(header, b"\0"),
            )
        raw = data[at : at + size]
        vendor = _U32.unpack_from(data, at + 8)[0] if header == 12 else 0
        if flags & _RESERVED_FLAGS or (header == 12 and not vendor):
            raise RefusedError(
                Result.INVALID_AVP_BITS,
                f"AVP {code} has flags 0x{flags:02x} and vendor {vendor}.",
                padded(raw),
            )
        avps.append(Avp(code, flags, vendor, raw[header:], raw))
        at += size + (-size & 3)
    return avps


def _wrong_length(detail: str, header: bytes) -> RefusedError:
    """The offending header as it came, but with a length that holds, so that the answer can be read."""
    code, word = _HEADER.unpack_from(header)
    flags = word >> 24
    if flags & VENDOR_FLAG:
        fixed = _HEADER.pack(code, flags << 24 | 12) + header[8:12].ljust(4, b"\0")
    else:
        fixed = _HEADER.pack(code, flags << 24 | 8)
    return RefusedError(Result.INVALID_AVP_LENGTH, detail, fixed)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attribute may stand: at least and at most how often."""

    kind: AvpType
    least: int = 0
    most: int | None = 1


Grammar = Mapping[tuple[int, int], Place]


def grammar(*places: Place) -> Grammar:
    """What a command or a group may hold, by vendor and code."""
    return {(place.kind.vendor, place.kind.code): place for place in places}


def sort_out(avps: Sequence[Avp], allowed: Grammar) -> dict[AvpType, list[Avp]]:
    """The known attributes by type; unknown ones are dropped if they may be.

    Raises:
        RefusedError: an unknown attribute with the M bit, a length its form does not take, one too often,
            one missing. Source: RFC 6733 clauses 4.1 and 7.1.5.
    """
    found: dict[AvpType, list[Avp]] = {}
    for avp in avps:
        place = allowed.get((avp.vendor, avp.code))
        if place is None:
            if avp.flags & MANDATORY_FLAG:
                raise RefusedError(
                    Result.AVP_UNSUPPORTED,
                    f"AVP {avp.code} of vendor {avp.vendor} is mandatory and not known.",
                    padded(avp.raw),
                )
            continue
        kind = place.kind
        if len(avp.data) < kind.kind.least or (kind.kind is Kind.UNSIGNED32 and len(avp.data) != 4):
            raise RefusedError(
                Result.INVALID_AVP_LENGTH, f"{kind.name} has {len(avp.data)} octets of data.", padded(avp.raw)
            )
        there = found.setdefault(kind, [])
        if place.most is not None and len(there) >= place.most:
            raise RefusedError(
                Result.AVP_OCCURS_TOO_MANY_TIMES,
                f"{kind.name} comes more than {place.most} times.",
                padded(avp.raw),
            )
        there.append(avp)
    for place in allowed.values():
        if len(found.get(place.kind, ())) < place.least:
            raise RefusedError(Result.MISSING_AVP, f"{place.kind.name} is missing.", example(place.kind))
    return found


def within(group: AvpType, error: RefusedError) -> RefusedError:
    """The same refusal of something inside `group`: Failed-AVP then shows the group around it."""
    return RefusedError(error.result, error.detail, encode(group, error.failed))
