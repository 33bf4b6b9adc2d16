"""Diameter messages as values: the header, capabilities exchange, watchdog, disconnect, refusals.

Pure functions between octets and values. Source: RFC 6733 clauses 3, 5 and 6.2.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Final, NamedTuple

from ceir.errors import CeirError
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import (
    Avp,
    Place,
    RefusedError,
    encode,
    encode_unsigned,
    grammar,
    padded,
    read_avps,
    sort_out,
    within,
)
from ceir.interfaces.s13.dictionary import Command, Result

REQUEST: Final = 0x80
PROXIABLE: Final = 0x40
ERROR: Final = 0x20
RETRANSMITTED: Final = 0x10

HEADER_SIZE: Final = 20
_HEADER = struct.Struct(">IIIII")

IpAddress = IPv4Address | IPv6Address


class FramingError(CeirError):
    """The octets of a connection cannot be cut into messages any further; it has to be closed.

    Args:
        result: what to answer before that.
    """

    code: ClassVar[str] = "s13_framing"

    def __init__(self, result: Result, detail: str) -> None:
        super().__init__(detail, "The connection is closed.")
        self.result = result


class Header(NamedTuple):
    """The 20 octets before the attributes."""

    size: int
    flags: int
    command: int
    application: int
    hop_by_hop: int
    end_to_end: int

    @property
    def is_request(self) -> bool:
        """The R bit."""
        return bool(self.flags & REQUEST)


def read_header(data: bytes | bytearray | memoryview, at: int, limit: int) -> Header:
    """The header at `at`, where 20 octets are there.

    Args:
        limit: the longest message that is taken, octets.

    Raises:
        FramingError: another version than 1; a length under 20, no multiple of 4 or over the limit.
    """
    first, second, application, hop_by_hop, end_to_end = _HEADER.unpack_from(data, at)
    version, size = first >> 24, first & 0xFFFFFF
    if version != 1:
        raise FramingError(Result.UNSUPPORTED_VERSION, f"Diameter version {version} is not known.")
    if size < HEADER_SIZE or size & 3 or size > limit:
        raise FramingError(
            Result.INVALID_MESSAGE_LENGTH, f"A length of {size} octets; 20 to {limit} in fours are taken."
        )
    return Header(size, second >> 24, second & 0xFFFFFF, application, hop_by_hop, end_to_end)


def encode_message(
    command: int, flags: int, application: int, hop_by_hop: int, end_to_end: int, body: bytes
) -> bytes:
    """A whole message around the attributes in `body`."""
    size = HEADER_SIZE + len(body)
    return _HEADER.pack(1 << 24 | size, flags << 24 | command, application, hop_by_hop, end_to_end) + body


@dataclass(frozen=True, slots=True)
class Node:
    """What this equipment check calls itself towards its peers.

    Args:
        host: Diameter identity, a fully qualified domain name.
        realm: its realm; requests for other realms are refused.
        addresses: own addresses for Host-IP-Address, at least one.
        origin_state_id: grows with every start, seconds since 1970 for example; 0: not told.
        other_realms, other_hosts: further destinations that mean this node.
    """

    host: str
    realm: str
    addresses: tuple[IpAddress, ...] = (IPv4Address("127.0.0.1"),)
    product: str = "OpenCEIR"
    vendor: int = 0
    origin_state_id: int = 0
    other_hosts: frozenset[str] = frozenset()
    other_realms: frozenset[str] = frozenset()

    @property
    def origin(self) -> bytes:
        """Origin-Host and Origin-Realm."""
        return encode(d.ORIGIN_HOST, self.host.encode()) + encode(d.ORIGIN_REALM, self.realm.encode())

    @property
    def origin_with_state(self) -> bytes:
        """Origin-Host, Origin-Realm and, if told, Origin-State-Id."""
        if not self.origin_state_id:
            return self.origin
        return self.origin + encode_unsigned(d.ORIGIN_STATE_ID, self.origin_state_id)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Who a peer says it is and what it can do: the content of CER and CEA.

    Args:
        result: of a CEA; None in a CER.
    """

    host: str
    realm: str
    addresses: tuple[IpAddress, ...]
    vendor: int
    product: str
    applications: frozenset[int]
    inband_security: frozenset[int] = frozenset()
    origin_state_id: int = 0
    result: int | None = None

    @property
    def shares_application(self) -> bool:
        """Whether it speaks S13, itself or as a relay for others."""
        return bool(self.applications & {d.S13_APPLICATION, d.RELAY_APPLICATION})


_CAPABILITIES = grammar(
    Place(d.RESULT_CODE),
    Place(d.ORIGIN_HOST, 1),
    Place(d.ORIGIN_REALM, 1),
    Place(d.HOST_IP_ADDRESS, 1, None),
    Place(d.VENDOR_ID, 1),
    Place(d.PRODUCT_NAME, 1),
    Place(d.ORIGIN_STATE_ID),
    Place(d.SUPPORTED_VENDOR_ID, 0, None),
    Place(d.AUTH_APPLICATION_ID, 0, None),
    Place(d.INBAND_SECURITY_ID, 0, None),
    Place(d.ACCT_APPLICATION_ID, 0, None),
    Place(d.VENDOR_SPECIFIC_APPLICATION_ID, 0, None),
    Place(d.FIRMWARE_REVISION),
    Place(d.FAILED_AVP, 0, None),
)
VENDOR_APPLICATION_GRAMMAR = grammar(
    Place(d.VENDOR_ID, 1, None),  # RFC 3588 allowed several, RFC 6733 one
    Place(d.AUTH_APPLICATION_ID),
    Place(d.ACCT_APPLICATION_ID),
)
_WATCHDOG = grammar(
    Place(d.ORIGIN_HOST, 1), Place(d.ORIGIN_REALM, 1), Place(d.ORIGIN_STATE_ID), Place(d.RESULT_CODE)
)
_DISCONNECT = grammar(Place(d.ORIGIN_HOST, 1), Place(d.ORIGIN_REALM, 1), Place(d.DISCONNECT_CAUSE, 1))


def text_of(avp: Avp, kind: d.AvpType) -> str:
    """A Diameter identity or a name as text.

    Raises:
        RefusedError: INVALID_AVP_VALUE when it is not UTF-8, or a name outside printable ASCII.
    """
    try:
        text = avp.data.decode("ascii" if kind.kind is d.Kind.IDENTITY else "utf-8")
    except UnicodeDecodeError:
        text = ""
    if (avp.data and not text) or (kind.kind is d.Kind.IDENTITY and not text.isprintable()):
        raise RefusedError(Result.INVALID_AVP_VALUE, f"{kind.name} is no text.", padded(avp.raw))
    return text


def _address(avp: Avp) -> IpAddress | None:
    family, octets = int.from_bytes(avp.data[:2], "big"), avp.data[2:]
    if (family, len(octets)) in ((1, 4), (2, 16)):
        return ip_address(octets)
    if family in (1, 2):
        raise RefusedError(
            Result.INVALID_AVP_LENGTH, f"{len(octets)} octets of address in family {family}.", padded(avp.raw)
        )
    return None  # another address family is none of our business


def _applications(found: dict[d.AvpType, list[Avp]]) -> frozenset[int]:
    numbers = {avp.unsigned for avp in found.get(d.AUTH_APPLICATION_ID, ())}
    # A relay may say so by any of the attributes; another accounting application does not serve S13.
    if any(avp.unsigned == d.RELAY_APPLICATION for avp in found.get(d.ACCT_APPLICATION_ID, ())):
        numbers.add(d.RELAY_APPLICATION)
    for group in found.get(d.VENDOR_SPECIFIC_APPLICATION_ID, ()):
        try:
            inner = sort_out(read_avps(group.data), VENDOR_APPLICATION_GRAMMAR)
        except RefusedError as error:
            raise within(d.VENDOR_SPECIFIC_APPLICATION_ID, error) from error
        numbers.update(avp.unsigned for avp in inner.get(d.AUTH_APPLICATION_ID, ()))
    return frozenset(numbers)


def decode_capabilities(body: bytes) -> Capabilities:
    """The content of a CER or CEA.

    Raises:
        RefusedError: with the result code to answer. Source: RFC 6733 clause 5.3.
    """
    found = sort_out(read_avps(body), _CAPABILITIES)
    state, result = found.get(d.ORIGIN_STATE_ID), found.get(d.RESULT_CODE)
    addresses = (_address(avp) for avp in found[d.HOST_IP_ADDRESS])
    return Capabilities(
        host=text_of(found[d.ORIGIN_HOST][0], d.ORIGIN_HOST),
        realm=text_of(found[d.ORIGIN_REALM][0], d.ORIGIN_REALM),
        addresses=tuple(address for address in addresses if address is not None),
        vendor=found[d.VENDOR_ID][0].unsigned,
        product=text_of(found[d.PRODUCT_NAME][0], d.PRODUCT_NAME),
        applications=_applications(found),
        inband_security=frozenset(avp.unsigned for avp in found.get(d.INBAND_SECURITY_ID, ())),
        origin_state_id=state[0].unsigned if state else 0,
        result=result[0].unsigned if result else None,
    )


VENDOR_APPLICATION: Final = encode(
    d.VENDOR_SPECIFIC_APPLICATION_ID,
    encode_unsigned(d.VENDOR_ID, d.VENDOR_3GPP) + encode_unsigned(d.AUTH_APPLICATION_ID, d.S13_APPLICATION),
)
"""Vendor-Specific-Application-Id of S13."""


def encode_capabilities(node: Node) -> bytes:
    """What CER and CEA say of this node, from Origin-Host on."""
    hosts = b"".join(
        encode(d.HOST_IP_ADDRESS, (b"\0\1" if address.version == 4 else b"\0\2") + address.packed)
        for address in node.addresses
    )
    state = encode_unsigned(d.ORIGIN_STATE_ID, node.origin_state_id) if node.origin_state_id else b""
    return (
        node.origin
        + hosts
        + encode_unsigned(d.VENDOR_ID, node.vendor)
        + encode(d.PRODUCT_NAME, node.product.encode(), mandatory=False)
        + state
        + encode_unsigned(d.SUPPORTED_VENDOR_ID, d.VENDOR_3GPP)
        + VENDOR_APPLICATION
    )


def encode_cer(node: Node, hop_by_hop: int, end_to_end: int) -> bytes:
    """A Capabilities-Exchange-Request of this node."""
    return encode_message(
        Command.CAPABILITIES_EXCHANGE, REQUEST, 0, hop_by_hop, end_to_end, encode_capabilities(node)
    )


def encode_cea(node: Node, request: Header, result: Result, failed: bytes = b"") -> bytes:
    """A Capabilities-Exchange-Answer of this node; with capabilities also when it refuses."""
    body = encode_unsigned(d.RESULT_CODE, result) + encode_capabilities(node)
    if failed:
        body += encode(d.FAILED_AVP, failed)
    return _answer(request, ERROR if result.is_protocol_error else 0, body)


def decode_watchdog(body: bytes) -> None:
    """Checks the form of a DWR or DWA.

    Raises:
        RefusedError: with the result code to answer. Source: RFC 6733 clause 5.5.
    """
    sort_out(read_avps(body), _WATCHDOG)


def encode_dwr(node: Node, hop_by_hop: int, end_to_end: int) -> bytes:
    """A Device-Watchdog-Request of this node."""
    return encode_message(Command.DEVICE_WATCHDOG, REQUEST, 0, hop_by_hop, end_to_end, node.origin_with_state)


def encode_dwa(node: Node, request: Header) -> bytes:
    """A Device-Watchdog-Answer: success."""
    return _answer(request, 0, encode_unsigned(d.RESULT_CODE, Result.SUCCESS) + node.origin_with_state)


def decode_disconnect(body: bytes) -> int:
    """The Disconnect-Cause of a DPR.

    Raises:
        RefusedError: with the result code to answer. Source: RFC 6733 clause 5.4.
    """
    return sort_out(read_avps(body), _DISCONNECT)[d.DISCONNECT_CAUSE][0].unsigned


def encode_dpr(node: Node, cause: d.DisconnectCause, hop_by_hop: int, end_to_end: int) -> bytes:
    """A Disconnect-Peer-Request of this node."""
    body = node.origin + encode_unsigned(d.DISCONNECT_CAUSE, cause)
    return encode_message(Command.DISCONNECT_PEER, REQUEST, 0, hop_by_hop, end_to_end, body)


def encode_dpa(node: Node, request: Header) -> bytes:
    """A Disconnect-Peer-Answer: success."""
    return _answer(request, 0, encode_unsigned(d.RESULT_CODE, Result.SUCCESS) + node.origin)


def _answer(request: Header, error: int, body: bytes) -> bytes:
    return encode_message(
        request.command,
        request.flags & PROXIABLE | error,
        request.application,
        request.hop_by_hop,
        request.end_to_end,
        body,
    )


def echoes(body: bytes) -> tuple[bytes, bytes]:
    """What every answer repeats, as far as a broken request lets itself be read.

    Returns:
        the first Session-Id and all Proxy-Info, each whole and padded; empty where there is none.

    Source: RFC 6733 clause 6.2.
    """
    session, proxies = b"", []
    at, stop = 0, len(body)
    while stop - at >= 8:
        key = int.from_bytes(body[at : at + 4], "big")
        flags, size = body[at + 4], int.from_bytes(body[at + 5 : at + 8], "big")
        if size < 8 or size > stop - at:
            break
        if not flags & 0x80:
            if key == d.SESSION_ID.code and not session:
                session = padded(body[at : at + size])
            elif key == d.PROXY_INFO.code:
                proxies.append(padded(body[at : at + size]))
        at += size + (-size & 3)
    return session, b"".join(proxies)


def encode_refusal(node: Node, request: Header, body: bytes, result: Result, failed: bytes = b"") -> bytes:
    """An answer that refuses a request with a result code, for any command.

    Args:
        body: the request's attributes, whose Session-Id and Proxy-Info are repeated.
        failed: the content of Failed-AVP; empty: none.

    Source: RFC 6733 clauses 6.2, 7.1 and 7.2.
    """
    session, proxies = echoes(body)
    answer = session
    if request.command == Command.ME_IDENTITY_CHECK and not result.is_protocol_error:
        answer += VENDOR_APPLICATION + encode_unsigned(d.RESULT_CODE, result)
        answer += encode_unsigned(d.AUTH_SESSION_STATE, d.NO_STATE_MAINTAINED) + node.origin
    else:
        answer += encode_unsigned(d.RESULT_CODE, result) + node.origin
    if failed:
        answer += encode(d.FAILED_AVP, failed)
    return _answer(request, ERROR if result.is_protocol_error else 0, answer + proxies)
