"""ME-Identity-Check: from the request's octets to a question, from an answer to the octets.

Two readers with one meaning. `decode_check` is the strict one: it goes through every attribute and knows the
result code for each mistake. `read_quickly` takes only what peers send all day and gives up on anything else;
it is several times faster, and a property test holds it to the strict one.
"""

import struct
from typing import Final, NamedTuple

from ceir.equipment_check import EquipmentStatus, Question
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import (
    MANDATORY_FLAG,
    PADDING,
    VENDOR_FLAG,
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
from ceir.interfaces.s13.codec import (
    HEADER_SIZE,
    VENDOR_APPLICATION,
    VENDOR_APPLICATION_GRAMMAR,
    Node,
)
from ceir.interfaces.s13.dictionary import Command, Result

WIRE_STATUS: Final = {
    EquipmentStatus.PERMITTED: 0,
    EquipmentStatus.BLOCKED: 1,
    EquipmentStatus.TRACKED: 2,
}
"""Equipment-Status: WHITELISTED, BLACKLISTED, GREYLISTED. Source: TS 29.272 clause 7.3.51."""

_REQUEST_GRAMMAR = grammar(
    Place(d.SESSION_ID, 1),
    Place(d.VENDOR_SPECIFIC_APPLICATION_ID),
    Place(d.AUTH_SESSION_STATE, 1),
    Place(d.ORIGIN_HOST, 1),
    Place(d.ORIGIN_REALM, 1),
    Place(d.DESTINATION_HOST),
    Place(d.DESTINATION_REALM, 1),
    Place(d.TERMINAL_INFORMATION, 1),
    Place(d.USER_NAME),
    Place(d.ORIGIN_STATE_ID),
    Place(d.PROXY_INFO, 0, None),
    Place(d.ROUTE_RECORD, 0, None),
)
_TERMINAL_GRAMMAR = grammar(Place(d.IMEI, 1), Place(d.MEID), Place(d.SOFTWARE_VERSION))


class Served:
    """The destinations and the name a node answers to, compared without regard to case."""

    def __init__(self, node: Node) -> None:
        self.own = node.host.lower().encode()
        self.hosts = frozenset({self.own, *(name.lower().encode() for name in node.other_hosts)})
        self.realms = frozenset(name.lower().encode() for name in (node.realm, *node.other_realms))


class CheckRequest(NamedTuple):
    """A ME-Identity-Check-Request as far as its answer depends on it.

    Args:
        imei, software_version, imsi: as in `Question`.
        session: the Session-Id attribute, whole, without padding.
        proxies: all Proxy-Info attributes in their order, whole and padded.
    """

    imei: int | None
    software_version: int | None
    imsi: int | None
    session: bytes
    proxies: bytes

    @property
    def question(self) -> Question:
        """What is asked."""
        return Question(self.imei, self.software_version, self.imsi)


def read_identity(imei: bytes, version: bytes) -> tuple[int | None, int | None]:
    """The first 14 digits and the software version in what a terminal's information says.

    A real MME sends 14 digits and a separate version; others send 15 digits (the last one spare or a check
    digit: ignored) or 16 (the last two a version, unless a separate one says otherwise). Trailing filler
    (F) of a converted semi-octet is dropped. No IMEI comes out of anything else.
    """
    digits = imei.rstrip(b"Ff")
    if len(digits) not in (14, 15, 16) or not digits.isdigit():
        return None, None
    number = int(digits[:14])
    if len(version) == 2 and version.isdigit():
        return number, int(version)
    return number, int(digits[14:]) if len(digits) == 16 else None


def read_imsi(name: bytes) -> int | None:
    """The IMSI in a User-Name, 6 to 15 digits behind a marker 1; None for another name."""
    if 6 <= len(name) <= 15 and name.isdigit():
        return int(b"1" + name)
    return None


def _terminal(group: Avp) -> tuple[int | None, int | None]:
    try:
        inner = sort_out(read_avps(group.data), _TERMINAL_GRAMMAR)
    except RefusedError as error:
        raise within(d.TERMINAL_INFORMATION, error) from error
    version = inner.get(d.SOFTWARE_VERSION)
    return read_identity(inner[d.IMEI][0].data, version[0].data if version else b"")


def _check_application(group: Avp) -> None:
    try:
        inner = sort_out(read_avps(group.data), VENDOR_APPLICATION_GRAMMAR)
    except RefusedError as error:
        raise within(d.VENDOR_SPECIFIC_APPLICATION_ID, error) from error
    told = inner.get(d.AUTH_APPLICATION_ID)
    if not told or told[0].unsigned != d.S13_APPLICATION:
        raise RefusedError(
            Result.INVALID_AVP_VALUE,
            "Vendor-Specific-Application-Id names another application.",
            padded(group.raw),
        )


def decode_check(body: bytes, served: Served) -> CheckRequest:
    """A ME-Identity-Check-Request, strictly.

    Args:
        body: everything behind the header.

    Raises:
        RefusedError: with the result code to answer. Source: RFC 6733 clauses 6.1.4, 6.1.3 and 7.1;
            TS 29.272 clause 7.2.19.
    """
    found = sort_out(read_avps(body), _REQUEST_GRAMMAR)
    if any(avp.data.lower() == served.own for avp in found.get(d.ROUTE_RECORD, ())):
        raise RefusedError(Result.LOOP_DETECTED, "Route-Record names this node.")
    host = found.get(d.DESTINATION_HOST)
    if host and host[0].data.lower() not in served.hosts:
        raise RefusedError(Result.UNABLE_TO_DELIVER, "Destination-Host is another node.")
    if not host and found[d.DESTINATION_REALM][0].data.lower() not in served.realms:
        raise RefusedError(Result.REALM_NOT_SERVED, "Destination-Realm is another realm.")
    state = found[d.AUTH_SESSION_STATE][0]
    if state.unsigned > d.NO_STATE_MAINTAINED:
        raise RefusedError(
            Result.INVALID_AVP_VALUE, f"Auth-Session-State {state.unsigned} is not known.", padded(state.raw)
        )
    for group in found.get(d.VENDOR_SPECIFIC_APPLICATION_ID, ()):
        _check_application(group)
    imei, version = _terminal(found[d.TERMINAL_INFORMATION][0])
    name = found.get(d.USER_NAME)
    return CheckRequest(
        imei,
        version,
        read_imsi(name[0].data) if name else None,
        found[d.SESSION_ID][0].raw,
        b"".join(padded(avp.raw) for avp in found.get(d.PROXY_INFO, ())),
    )


# --- the quick reader ---

# Bits in `seen`, one for each attribute that the quick reader knows.
_SESSION, _STATE, _HOST, _REALM, _TO_HOST, _TO_REALM, _TERMINAL, _NAME, _APPLICATION, _PROXY, _ROUTE = (
    1 << n for n in range(11)
)
_NEEDED = _SESSION | _STATE | _HOST | _REALM | _TO_REALM | _TERMINAL


def _key(kind: d.AvpType) -> int:
    """Code and flags in one number, as the first five octets of an attribute hold them."""
    return kind.code << 8 | (MANDATORY_FLAG | (VENDOR_FLAG if kind.vendor else 0))


_FIELDS: Final = {
    _key(d.SESSION_ID): _SESSION,
    _key(d.AUTH_SESSION_STATE): _STATE,
    _key(d.ORIGIN_HOST): _HOST,
    _key(d.ORIGIN_REALM): _REALM,
    _key(d.DESTINATION_HOST): _TO_HOST,
    _key(d.DESTINATION_REALM): _TO_REALM,
    _key(d.TERMINAL_INFORMATION): _TERMINAL,
    _key(d.USER_NAME): _NAME,
    _key(d.VENDOR_SPECIFIC_APPLICATION_ID): _APPLICATION,
    _key(d.PROXY_INFO): _PROXY,
    _key(d.ROUTE_RECORD): _ROUTE,
}
_REPEATED = _PROXY | _ROUTE
_WORD = struct.Struct(">Q").unpack_from
_U32 = struct.Struct(">I").unpack_from
_NESTED = struct.Struct(">QI").unpack_from
_IMEI_KEY: Final = _key(d.IMEI)
_VERSION_KEY: Final = _key(d.SOFTWARE_VERSION)
_APPLICATIONS: Final = frozenset(
    {
        VENDOR_APPLICATION[8:],
        VENDOR_APPLICATION[20:] + VENDOR_APPLICATION[8:20],
    }
)

_KNOWN_CODES: Final = frozenset(place.kind.code for place in _REQUEST_GRAMMAR.values())
_OPTIONAL_MASK: Final = 0x5F
"""M bit and reserved bits: an unknown attribute without any of them is skipped."""


def read_quickly(block: bytes, start: int, stop: int, served: Served) -> CheckRequest | None:  # noqa: PLR0911, PLR0912, PLR0915
    """What `decode_check` gives for the body at `start` to `stop`, or None: ask that one.

    Why one long function: it runs for every request, and calls are what costs.
    """
    seen = 0
    session = name = imei = b""
    version = b""
    proxies = b""
    at = start
    last = stop - 8
    while at <= last:
        word = _WORD(block, at)[0]
        size = word & 0xFFFFFF
        follows = at + (size + 3 & -4)
        field = _FIELDS.get(word >> 24)
        if follows > stop or size <= 8:
            return None
        if field is None:
            if word >> 24 & _OPTIONAL_MASK or size < 12 or word >> 32 in _KNOWN_CODES:
                return None
            if word >> 31 & 1 and block[at + 8 : at + 12] == _ZEROS:
                return None
            at = follows
            continue
        if seen & field and not field & _REPEATED:
            return None
        seen |= field
        if field == _SESSION:
            session = block[at : at + size]
        elif field == _NAME:
            name = block[at + 8 : at + size]
        elif field == _TERMINAL:
            inner, end = at + 12, at + size
            if size & 3 or _U32(block, at + 8)[0] != d.VENDOR_3GPP:
                return None
            while inner + 12 <= end:
                word, vendor = _NESTED(block, inner)
                size = word & 0xFFFFFF
                if vendor != d.VENDOR_3GPP or size < 12 or inner + size > end:
                    return None
                if word >> 24 == _IMEI_KEY and not imei:
                    imei = block[inner + 12 : inner + size]
                elif word >> 24 == _VERSION_KEY and not version:
                    version = block[inner + 12 : inner + size]
                else:
                    return None
                inner += size + 3 & -4
            if inner != end:
                return None
        elif field == _STATE:
            if size != 12 or _U32(block, at + 8)[0] > d.NO_STATE_MAINTAINED:
                return None
        elif field == _TO_REALM:
            if block[at + 8 : at + size] not in served.realms and not seen & _TO_HOST:
                return None
        elif field == _TO_HOST:
            if block[at + 8 : at + size] not in served.hosts:
                return None
        elif field == _APPLICATION:
            if block[at + 8 : at + size] not in _APPLICATIONS:
                return None
        elif field == _PROXY:
            proxies += block[at : at + size] + PADDING[size & 3]
        elif field == _ROUTE and block[at + 8 : at + size].lower() == served.own:
            return None
        at = follows
    if at != stop or seen & _NEEDED != _NEEDED or not imei:
        return None
    length = len(imei)
    if not 14 <= length <= 16 or not imei.isdigit():
        return None
    told = None
    if len(version) == 2 and version.isdigit():
        told = int(version)
    elif length == 16:
        told = int(imei[14:])
    subscriber = int(b"1" + name) if 6 <= len(name) <= 15 and name.isdigit() else None
    return _new(CheckRequest, (int(imei[:14]), told, subscriber, session, proxies))


_ZEROS: Final = bytes(4)
_new = tuple.__new__


# --- answers ---

_HEADER = struct.Struct(">IIIQ").pack


class Answers:
    """Ready-made ends of answers, so that one answer costs a header and a copy of the Session-Id."""

    def __init__(self, node: Node) -> None:
        origin = encode_unsigned(d.AUTH_SESSION_STATE, d.NO_STATE_MAINTAINED) + node.origin
        success = VENDOR_APPLICATION + encode_unsigned(d.RESULT_CODE, Result.SUCCESS) + origin
        unknown = (
            VENDOR_APPLICATION
            + encode(
                d.EXPERIMENTAL_RESULT,
                encode_unsigned(d.VENDOR_ID, d.VENDOR_3GPP)
                + encode_unsigned(d.EXPERIMENTAL_RESULT_CODE, d.EQUIPMENT_UNKNOWN),
            )
            + origin
        )
        ends = {
            status: success + encode_unsigned(d.EQUIPMENT_STATUS, number)
            for status, number in WIRE_STATUS.items()
        }
        ends[EquipmentStatus.UNKNOWN] = unknown
        self._ends: dict[EquipmentStatus, tuple[bytes, bytes, bytes, bytes]] = {
            status: (end, b"\0\0\0" + end, b"\0\0" + end, b"\0" + end) for status, end in ends.items()
        }

    def encode(
        self, status: EquipmentStatus, session: bytes, proxies: bytes, proxiable: int, identifiers: int
    ) -> bytes:
        """A ME-Identity-Check-Answer.

        Args:
            session: the request's Session-Id attribute without padding.
            proxies: its Proxy-Info attributes, padded.
            proxiable: its P bit as the header has it (0x40 or 0).
            identifiers: hop-by-hop and end-to-end identifier, as one number of 64 bits.
        """
        end = self._ends[status][len(session) & 3]
        size = HEADER_SIZE + len(session) + len(end) + len(proxies)
        return (
            _HEADER(
                1 << 24 | size, proxiable << 24 | Command.ME_IDENTITY_CHECK, d.S13_APPLICATION, identifiers
            )
            + session
            + end
            + proxies
        )
