"""MAP CheckIMEI (TS 29.002 17.6.1, 17.7.1; TS 09.02 for versions 1 and 2): argument, result, errors."""

from typing import Final, NamedTuple

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.map.ber import Element, element, elements, tlv
from ceir.interfaces.map.errors import ArgumentError, BerError
from ceir.interfaces.map.tbcd import SWAP, digits, packed

CHECK_IMEI: Final = 43

UNKNOWN_EQUIPMENT: Final = 7
SYSTEM_FAILURE: Final = 34
DATA_MISSING: Final = 35
UNEXPECTED_DATA_VALUE: Final = 36

EQUIPMENT_MNGT: Final = bytes.fromhex("04000001000d")
"""Application context name equipmentMngtContext without its version octet."""

WIRE_STATUS: Final = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}
"""whiteListed, blackListed, greyListed."""


class Bmuef(NamedTuple):
    """UESBI-Iu (TS 29.002 17.7.1): the two bit strings that describe the equipment's deviations.

    Args:
        a: UESBI-IuA as (octets, unused bits 0 to 7 in the last one); None: absent.
        b: UESBI-IuB likewise.
    """

    a: tuple[bytes, int] | None
    b: tuple[bytes, int] | None


class Argument(NamedTuple):
    """A CheckIMEI argument in place.

    Args:
        imei_at: where the 8 octets of the IMEI begin.
        subscriber: where an IMSI lies that some equipment appends; None: not told.
        wants_status: the equipment status is asked for.
        wants_bmuef: the UESBI-Iu are asked for.
    """

    imei_at: int
    subscriber: Element | None
    wants_status: bool
    wants_bmuef: bool


def context(version: int) -> bytes:
    """Content octets of equipmentMngtContext-v1 to -v3."""
    return EQUIPMENT_MNGT + bytes((version,))


def decode_argument(
    data: bytes, version: int, parameter: Element | None, trailing: Element | None
) -> Argument:
    """The argument of an invoke of version 1, 2 (a bare IMEI) or 3 (a sequence).

    Raises:
        ArgumentError: with the MAP error to answer, or without one when the type is wrong.
    """
    if parameter is None:
        raise ArgumentError("the argument is missing", DATA_MISSING)
    if version < 3:
        if parameter.tag != 0x04:
            raise ArgumentError("a bare IMEI is an octet string", None)
        _imei(parameter)
        return Argument(parameter.start, _appended(trailing), True, False)
    if parameter.tag != 0x30 or trailing is not None:
        raise ArgumentError("the argument is one sequence", None)
    try:
        inside = elements(data, parameter.start, parameter.stop)
    except BerError:
        raise ArgumentError("the sequence is broken", None) from None
    if not inside:
        raise ArgumentError("the IMEI is missing", DATA_MISSING)
    if inside[0].tag != 0x04:
        raise ArgumentError("the IMEI is an octet string", None)
    _imei(inside[0])
    if len(inside) < 2:
        raise ArgumentError("the requested equipment information is missing", DATA_MISSING)
    asked = inside[1]
    if asked.tag != 0x03:
        raise ArgumentError("the requested equipment information is a bit string", None)
    bits = 8 * (asked.stop - asked.start - 1) - (data[asked.start] if asked.stop > asked.start else 8)
    if not 2 <= bits <= 8 or data[asked.start] > 7:
        raise ArgumentError("the requested equipment information has 2 to 8 bits", UNEXPECTED_DATA_VALUE)
    flags = data[asked.start + 1]
    if not flags & 0xC0:
        raise ArgumentError("nothing known is requested", UNEXPECTED_DATA_VALUE)
    return Argument(inside[0].start, None, bool(flags & 0x80), bool(flags & 0x40))


def encode_argument(version: int, imei: bytes, asked: int = 0x80, imsi: str | None = None) -> bytes:
    """The argument as a client sends it; `imei` are the 8 octets, `asked` the first flags octet of version 3.

    Args:
        imsi: appended as some equipment does it with versions 1 and 2.
    """
    if version < 3:
        return tlv(0x04, imei) + (b"" if imsi is None else tlv(0x00, packed(imsi)))
    return tlv(0x30, tlv(0x04, imei) + bytes((3, 2, 6, asked)))


def encode_result(version: int, status: int | None, bmuef: Bmuef | None = None) -> bytes:
    """The result; status: 0, 1, 2, or None when version 3 did not ask for it."""
    enumerated = b"" if status is None else bytes((0x0A, 1, status))
    if version < 3:
        return enumerated
    bits = b""
    if bmuef is not None:
        for tag, one in ((0x80, bmuef.a), (0x81, bmuef.b)):
            bits += b"" if one is None else tlv(tag, bytes((one[1],)) + one[0])
        bits = tlv(0x30, bits)
    return tlv(0x30, enumerated + bits)


def decode_result(data: bytes, version: int, parameter: Element | None) -> int | None:
    """The status of a result, as a client reads it.

    Raises:
        ArgumentError: it is none of 0, 1, 2, or of another type.
    """
    if version >= 3:
        if parameter is None or parameter.tag != 0x30:
            raise ArgumentError("the result is a sequence", None)
        if parameter.start == parameter.stop or data[parameter.start] != 0x0A:
            return None
        try:
            parameter = element(data, parameter.start, parameter.stop)
        except BerError:
            raise ArgumentError("the result is broken", None) from None
    if parameter is None or parameter.tag != 0x0A or parameter.stop - parameter.start != 1:
        raise ArgumentError("the status is an enumeration", None)
    status = data[parameter.start]
    if status > 2:
        raise ArgumentError("the status is unknown", None)
    return status


def imei_octets(text: str) -> bytes:
    """14 to 16 digits as the 8 octets of an IMEI; missing digits become fillers."""
    return bytes.fromhex(text.ljust(16, "f")).translate(SWAP)


def referenced_subscriber(data: bytes, user: Element | None) -> Element | None:
    """The IMSI that a MAP-OPEN carries as its destination reference (TS 29.002 7.3.1, numbering plan E.212).

    Returns:
        The element of the digits alone, without the octet of nature and plan.
    """
    if user is None or user.tag != 0xA0 or user.start == user.stop:
        return None
    try:
        first = element(data, user.start, user.stop)
    except BerError:
        return None
    if first.tag != 0x80 or first.stop - first.start < 4 or data[first.start] & 0x0F != 0x06:
        return None
    if digits(data[first.start + 1 : first.stop]) is None:
        return None
    return Element(first.tag, first.start + 1, first.stop, first.after)


def _imei(one: Element) -> None:
    if one.stop - one.start != 8:
        raise ArgumentError("an IMEI has 8 octets", UNEXPECTED_DATA_VALUE)


def _appended(one: Element | None) -> Element | None:
    if one is None:
        return None
    if one.tag not in {0x00, 0x04, 0x80} or not 3 <= one.stop - one.start <= 8:
        raise ArgumentError("what follows the IMEI is no IMSI", None)
    return one
