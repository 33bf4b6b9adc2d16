"""M3UA (RFC 4666): messages, parameters, and where one ends in a stream of octets."""

import struct
from typing import Final, NamedTuple

from ceir.interfaces.map.errors import M3uaError

PORT: Final = 2905
PAYLOAD_PROTOCOL: Final = 3
HEADER: Final = 8

MGMT, TRANSFER, SSNM, ASPSM, ASPTM, RKM = 0, 1, 2, 3, 4, 9

ERR, NTFY = (MGMT, 0), (MGMT, 1)
DATA = (TRANSFER, 1)
DUNA, DAVA, DAUD, SCON, DUPU, DRST = ((SSNM, kind) for kind in range(1, 7))
ASPUP, ASPDN, BEAT, ASPUP_ACK, ASPDN_ACK, BEAT_ACK = ((ASPSM, kind) for kind in range(1, 7))
ASPAC, ASPIA, ASPAC_ACK, ASPIA_ACK = ((ASPTM, kind) for kind in range(1, 5))

INFO_STRING = 0x0004
ROUTING_CONTEXT = 0x0006
DIAGNOSTIC = 0x0007
HEARTBEAT_DATA = 0x0009
TRAFFIC_MODE = 0x000B
ERROR_CODE = 0x000C
STATUS = 0x000D
ASP_IDENTIFIER = 0x0011
AFFECTED_POINT_CODE = 0x0012
CORRELATION = 0x0013
NETWORK_APPEARANCE = 0x0200
PROTOCOL_DATA = 0x0210

INVALID_VERSION = 0x01
UNSUPPORTED_CLASS = 0x03
UNSUPPORTED_TYPE = 0x04
UNSUPPORTED_TRAFFIC_MODE = 0x05
UNEXPECTED_MESSAGE = 0x06
PROTOCOL_ERROR = 0x07
PARAMETER_FIELD_ERROR = 0x12
UNEXPECTED_PARAMETER = 0x13
MISSING_PARAMETER = 0x16
INVALID_ROUTING_CONTEXT = 0x19

SERVICE_SCCP: Final = 3

_HEAD = struct.Struct("!BBBBI")
_PARAMETER = struct.Struct("!HH")
_ROUTING = struct.Struct("!IIBBBB")


class Payload(NamedTuple):
    """A DATA message in place: the user's octets are `message[start:stop]`.

    Args:
        routing_context: 0 to 2**32-1; None: absent.
        network_appearance: likewise.
        sls_at: where the signalling link selection lies.
    """

    routing_context: int | None
    network_appearance: int | None
    opc: int
    dpc: int
    service: int
    network: int
    priority: int
    sls: int
    sls_at: int
    start: int
    stop: int


def length(buffer: bytes | bytearray | memoryview, at: int, limit: int) -> int:
    """How many octets the message takes whose header lies at `at`.

    Raises:
        M3uaError: fatal: the header is none, or the message is longer than `limit`.
    """
    version, _, kind, _, size = _HEAD.unpack_from(buffer, at)
    if version != 1:
        raise M3uaError("the version is not 1", INVALID_VERSION, fatal=True)
    if size < HEADER or size > limit or (size & 3 and kind != TRANSFER):
        raise M3uaError("the length cannot be", PROTOCOL_ERROR, fatal=True)
    return int(size)


def message(kind: tuple[int, int], *parameters: bytes) -> bytes:
    """A whole message of encoded parameters."""
    size = HEADER + sum(map(len, parameters))
    return _HEAD.pack(1, 0, kind[0], kind[1], size) + b"".join(parameters)


def parameter(tag: int, value: bytes) -> bytes:
    """One parameter, padded to a multiple of four octets."""
    return _PARAMETER.pack(tag, 4 + len(value)) + value + bytes(-len(value) & 3)


def number(tag: int, value: int) -> bytes:
    """A parameter of one 32-bit number."""
    return _PARAMETER.pack(tag, 8) + value.to_bytes(4, "big")


def parameters(data: bytes) -> dict[int, bytes]:
    """The parameters of a message by their tag; of a repeated one the first.

    Raises:
        M3uaError: a length leads out of the message.
    """
    found: dict[int, bytes] = {}
    at, end = HEADER, len(data)
    while at < end:
        if at + 4 > end:
            raise M3uaError("a parameter is cut off", PARAMETER_FIELD_ERROR)
        tag, size = _PARAMETER.unpack_from(data, at)
        if size < 4 or at + size > end:
            raise M3uaError("a parameter leads out of the message", PARAMETER_FIELD_ERROR)
        found.setdefault(tag, data[at + 4 : at + size])
        at += size + (-size & 3)
    return found


def payload(data: bytes) -> Payload:
    """Read a DATA message.

    Raises:
        M3uaError: a parameter is broken or the protocol data are missing.
    """
    context: int | None = None
    appearance: int | None = None
    at, end = HEADER, len(data)
    while at + 4 <= end:
        tag, size = _PARAMETER.unpack_from(data, at)
        stop = at + size
        if size < 4 or stop > end:
            raise M3uaError("a parameter leads out of the message", PARAMETER_FIELD_ERROR)
        if tag == PROTOCOL_DATA:
            if size < 17:
                raise M3uaError("the protocol data are too short", PARAMETER_FIELD_ERROR)
            opc, dpc, service, network, priority, sls = _ROUTING.unpack_from(data, at + 4)
            return Payload(
                context, appearance, opc, dpc, service, network, priority, sls, at + 15, at + 16, stop
            )
        if tag in {ROUTING_CONTEXT, NETWORK_APPEARANCE}:
            if size != 8:
                raise M3uaError("a DATA message has one routing context", PARAMETER_FIELD_ERROR)
            value = int.from_bytes(data[at + 4 : stop], "big")
            if tag == ROUTING_CONTEXT:
                context = value
            else:
                appearance = value
        at = stop + (-size & 3)
    raise M3uaError("the protocol data are missing", MISSING_PARAMETER)


def transfer(
    user: bytes,
    *,
    opc: int,
    dpc: int,
    sls: int,
    network: int = 2,
    priority: int = 0,
    service: int = SERVICE_SCCP,
    routing_context: int | None = None,
    network_appearance: int | None = None,
) -> bytes:
    """A DATA message around the octets of an MTP3 user."""
    head = b"" if network_appearance is None else number(NETWORK_APPEARANCE, network_appearance)
    head += b"" if routing_context is None else number(ROUTING_CONTEXT, routing_context)
    routing = _ROUTING.pack(opc, dpc, service, network, priority, sls)
    return message(DATA, head, parameter(PROTOCOL_DATA, routing + user))


def error(code: int, offending: bytes = b"", context: bytes = b"") -> bytes:
    """An ERR message; of the offending one the first 40 octets come along."""
    diagnostic = parameter(DIAGNOSTIC, offending[:40]) if offending else b""
    contexts = parameter(ROUTING_CONTEXT, context) if context else b""
    return message(ERR, number(ERROR_CODE, code), contexts, diagnostic)


def affected(value: bytes) -> list[tuple[int, int]]:
    """The (mask, point code) pairs of an affected point code parameter.

    Raises:
        M3uaError: it is no multiple of four octets, or empty.
    """
    if not value or len(value) & 3:
        raise M3uaError("the affected point codes are cut off", PARAMETER_FIELD_ERROR)
    return [(value[at], int.from_bytes(value[at + 1 : at + 4], "big")) for at in range(0, len(value), 4)]
