"""Osmocom's GSUP (Generic Subscriber Update Protocol) as far as Check-IMEI goes, inside IPA frames.

Source: chapter "Generic Subscriber Update Protocol" of the OsmoHLR user manual, libosmocore gsm/gsup.h.
"""

from collections.abc import Iterable
from typing import ClassVar, Final, NamedTuple

from ceir.errors import CeirError

PORT: Final = 4222

PROTOCOL_CCM: Final = 0xFE
PROTOCOL_OSMO: Final = 0xEE
EXTENSION_GSUP: Final = 0x05

PING, PONG, IDENTITY_REQUEST, IDENTITY_RESPONSE, IDENTITY_ACK = 0x00, 0x01, 0x04, 0x05, 0x06

CHECK_IMEI_REQUEST, CHECK_IMEI_ERROR, CHECK_IMEI_RESULT = 0x30, 0x31, 0x32

IMSI_IE, CAUSE_IE, MESSAGE_CLASS_IE = 0x01, 0x02, 0x0A
SESSION_ID_IE, SESSION_STATE_IE = 0x30, 0x31
IMEI_IE, IMEI_RESULT_IE = 0x50, 0x51
SOURCE_NAME_IE, DESTINATION_NAME_IE = 0x60, 0x61

ACK, NACK = 0, 1
SUBSCRIBER_MANAGEMENT: Final = 1

INVALID_MANDATORY_INFORMATION: Final = 0x60
MESSAGE_TYPE_NOT_IMPLEMENTED: Final = 0x61
NETWORK_FAILURE: Final = 0x11
"""GMM causes (TS 24.008 10.5.5.14), which GSUP's cause element carries."""

_SWAP: Final = bytes((low << 4 | high) for high in range(16) for low in range(16))


class GsupError(CeirError):
    """The bytes are no GSUP message that can be answered with a result.

    Args:
        cause: the cause to answer with.
        imsi: the IMSI element as it came, which every answer needs; None: there is none.
    """

    code: ClassVar[str] = "gsup_malformed"

    def __init__(self, detail: str, cause: int, imsi: bytes | None = None) -> None:
        super().__init__(detail)
        self.cause = cause
        self.imsi = imsi


class IpaError(CeirError):
    """The stream is no sequence of IPA frames; it cannot be followed any more."""

    code: ClassVar[str] = "ipa_malformed"


class Request(NamedTuple):
    """A Check-IMEI request.

    Args:
        imei: first 14 digits as a number; None: not 14 to 16 decimal digits.
        software_version: 0 to 99 of an IMEISV, or None.
        imsi: int("1" + digits), or None: no decimal number of 6 to 15 digits.
        echo: elements that an answer repeats: IMSI, message class, session; source becomes destination.
    """

    imei: int | None
    software_version: int | None
    imsi: int | None
    echo: tuple[tuple[int, bytes], ...]


def frames(buffer: bytes, limit: int) -> tuple[list[tuple[int, bytes]], int]:
    """The whole IPA frames at the beginning of `buffer` as (protocol, payload), and where the rest begins.

    Raises:
        IpaError: a frame is longer than `limit`.
    """
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(buffer)
    while end - at >= 3:
        size = buffer[at] << 8 | buffer[at + 1]
        if size > limit:
            raise IpaError("a frame is longer than is allowed")
        if at + 3 + size > end:
            break
        found.append((buffer[at + 2], buffer[at + 3 : at + 3 + size]))
        at += 3 + size
    return found, at


def frame(protocol: int, payload: bytes) -> bytes:
    """An IPA frame."""
    return len(payload).to_bytes(2, "big") + bytes((protocol,)) + payload


def message(kind: int, elements: Iterable[tuple[int, bytes]]) -> bytes:
    """A GSUP message in its IPA frame."""
    parts = [bytes((EXTENSION_GSUP, kind))]
    parts.extend(bytes((tag, len(value))) + value for tag, value in elements)
    return frame(PROTOCOL_OSMO, b"".join(parts))


def elements(payload: bytes) -> list[tuple[int, bytes]]:
    """The information elements after the message type.

    Raises:
        GsupError: an element leads out of the message.
    """
    found: list[tuple[int, bytes]] = []
    at, end = 1, len(payload)
    while at < end:
        if at + 2 > end or at + 2 + payload[at + 1] > end:
            imsi = next((value for tag, value in found if tag == IMSI_IE), None)
            raise GsupError("an element is cut off", INVALID_MANDATORY_INFORMATION, imsi)
        stop = at + 2 + payload[at + 1]
        found.append((payload[at], payload[at + 2 : stop]))
        at = stop
    return found


def request(payload: bytes) -> Request:
    """Read a GSUP message (without IPA header and extension octet) as a Check-IMEI request.

    Raises:
        GsupError: it is another one, or the IMSI or IMEI element is missing or impossible.
    """
    if not payload:
        raise GsupError("the message is empty", INVALID_MANDATORY_INFORMATION)
    found = elements(payload)
    first: dict[int, bytes] = {}
    for tag, value in found:
        first.setdefault(tag, value)
    imsi = first.get(IMSI_IE)
    if payload[0] != CHECK_IMEI_REQUEST:
        raise GsupError("only Check-IMEI is answered", MESSAGE_TYPE_NOT_IMPLEMENTED, imsi)
    if not imsi or len(imsi) > 8:
        raise GsupError("the IMSI is missing or too long", INVALID_MANDATORY_INFORMATION)
    digits = first.get(IMEI_IE)
    if digits is None or not 7 <= len(digits) <= 9:
        raise GsupError("the IMEI is missing or of no possible length", INVALID_MANDATORY_INFORMATION, imsi)
    # Osmocom's own programs put a length octet before the digits (and send 14 of them); others may not.
    text = (digits[1:] if digits[0] == len(digits) - 1 else digits).translate(_SWAP).hex().rstrip("f")
    known = text.isdecimal() and 14 <= len(text) <= 16
    number = imsi.translate(_SWAP).hex().rstrip("f")
    return Request(
        int(text[:14]) if known else None,
        int(text[14:]) if known and len(text) == 16 else None,
        int("1" + number) if number.isdecimal() and 6 <= len(number) <= 15 else None,
        _echo(first),
    )


def answer(asked: Request, verdict: int) -> bytes:
    """The framed result; `verdict`: ACK or NACK."""
    return message(CHECK_IMEI_RESULT, (*asked.echo, (IMEI_RESULT_IE, bytes((verdict,)))))


def refusal(payload: bytes, error: GsupError) -> bytes | None:
    """The framed error that answers a request; None: there is nothing that could be answered."""
    if error.imsi is None or not payload or payload[0] & 0x03:
        return None
    return message(payload[0] | 0x01, ((IMSI_IE, error.imsi), (CAUSE_IE, bytes((error.cause,)))))


def packed(digits: str) -> bytes:
    """Decimal digits as telephony BCD."""
    return bytes.fromhex(digits + "f" * (len(digits) & 1)).translate(_SWAP)


def ask(imei: str, imsi: str, name: bytes = b"") -> bytes:
    """A framed Check-IMEI request as an MSC sends it."""
    parts = [(IMSI_IE, packed(imsi)), (MESSAGE_CLASS_IE, bytes((SUBSCRIBER_MANAGEMENT,)))]
    digits = packed(imei)
    parts.append((IMEI_IE, bytes((len(digits),)) + digits))
    if name:
        parts.append((SOURCE_NAME_IE, name))
    return message(CHECK_IMEI_REQUEST, parts)


def _echo(first: dict[int, bytes]) -> tuple[tuple[int, bytes], ...]:
    kept = [(tag, first[tag]) for tag in (IMSI_IE, MESSAGE_CLASS_IE, SESSION_ID_IE) if tag in first]
    if SESSION_STATE_IE in first:
        kept.append((SESSION_STATE_IE, b"\x03"))
    if SOURCE_NAME_IE in first:
        kept.append((DESTINATION_NAME_IE, first[SOURCE_NAME_IE]))
    if DESTINATION_NAME_IE in first:
        kept.append((SOURCE_NAME_IE, first[DESTINATION_NAME_IE]))
    return tuple(kept)
