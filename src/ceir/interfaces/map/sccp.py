"""Connectionless SCCP (Q.713): UDT, XUDT, UDTS, XUDTS, and the management messages of SCMG."""

from typing import Final, NamedTuple

from ceir.interfaces.map.errors import SccpError

UDT, UDTS, XUDT, XUDTS = 0x09, 0x0A, 0x11, 0x12

SSN_MANAGEMENT: Final = 1
SSN_EIR: Final = 9

UNEQUIPPED_USER = 4
CANNOT_REASSEMBLE = 10

SUBSYSTEM_ALLOWED, SUBSYSTEM_PROHIBITED, SUBSYSTEM_STATUS_TEST = 1, 2, 3

_MAX_HOPS = 15
_SEGMENTATION = 0x10


class Address(NamedTuple):
    """A called or calling party address (Q.713 3.4).

    Args:
        route_on_ssn: the routing indicator; False: on the global title.
        point_code: 0 to 16383; None: absent.
        ssn: 0 to 255; None: absent.
        title_form: the global title indicator, 0 (none) to 4.
        title: octets of the global title after the indicator.
    """

    route_on_ssn: bool
    point_code: int | None
    ssn: int | None
    title_form: int = 0
    title: bytes = b""

    def encode(self) -> bytes:
        """The octets of the parameter without its length."""
        indicator = (
            (self.point_code is not None)
            | (self.ssn is not None) << 1
            | self.title_form << 2
            | self.route_on_ssn << 6
        )
        code = b"" if self.point_code is None else self.point_code.to_bytes(2, "little")
        ssn = b"" if self.ssn is None else bytes((self.ssn,))
        return bytes((indicator,)) + code + ssn + self.title


class Unitdata(NamedTuple):
    """A message in place: the user's data are `data[start:stop]`.

    Args:
        kind: UDT, XUDT, UDTS or XUDTS.
        protocol_class: 0 or 1; 0 in the service messages.
        return_on_error: the sender wants it back when it cannot be delivered.
        hops: hop counter of XUDT and XUDTS, else 0.
        cause: return cause of UDTS and XUDTS, else 0.
        called: octets of the called party address.
        calling: octets of the calling party address.
        segment: the segmentation parameter says that more segments belong to this.
    """

    kind: int
    protocol_class: int
    return_on_error: bool
    hops: int
    cause: int
    called: bytes
    calling: bytes
    start: int
    stop: int
    segment: bool = False


def global_title(digits: str, nature: int = 4, plan: int = 1, translation: int = 0) -> bytes:
    """Octets of a global title of form 4: translation type, plan and encoding, nature, digits."""
    packed = bytes.fromhex("".join(b + a for a, b in zip(digits[::2], (digits + "0")[1::2], strict=False)))
    return bytes((translation, plan << 4 | (1 if len(digits) & 1 else 2), nature)) + packed


def address(data: bytes) -> Address:
    """Read an address.

    Raises:
        SccpError: octets are missing or the global title form is unknown.
    """
    if not data:
        raise SccpError("an address is empty")
    indicator = data[0]
    at = 1
    point_code: int | None = None
    ssn: int | None = None
    if indicator & 0x01:
        point_code = int.from_bytes(data[at : at + 2], "little") & 0x3FFF
        at += 2
    if indicator & 0x02:
        ssn = data[at] if at < len(data) else None
        at += 1
    form = indicator >> 2 & 0x0F
    if at > len(data) or form > 4 or (form and len(data) - at < (2, 2, 3, 4)[form - 1]):
        raise SccpError("an address is cut off or its global title is of an unknown form")
    return Address(bool(indicator & 0x40), point_code, ssn, form, data[at:] if form else b"")


def decode(data: bytes, at: int, end: int) -> Unitdata:
    """The message that lies in `data[at:end]`; optional parameters other than segmentation are passed over.

    Raises:
        SccpError: a pointer or a length leads out of the message, or the type is not connectionless.
    """
    if end - at < 8:
        raise SccpError("the message is too short")
    kind = data[at]
    cause = protocol_class = hops = 0
    wants_return = False
    if kind in {UDT, XUDT}:
        protocol_class = data[at + 1] & 0x0F
        wants_return = bool(data[at + 1] & 0x80)
        if protocol_class > 1:
            raise SccpError("the protocol class is not connectionless")
    elif kind in {UDTS, XUDTS}:
        cause = data[at + 1]
    else:
        raise SccpError("the message type is not connectionless")
    pointer = at + 2
    if kind in {XUDT, XUDTS}:
        hops = data[pointer]
        pointer += 1
        if not 1 <= hops <= _MAX_HOPS:
            raise SccpError("the hop counter is out of range")
    called_at, called_end = _variable(data, pointer, end)
    calling_at, calling_end = _variable(data, pointer + 1, end)
    start, stop = _variable(data, pointer + 2, end)
    segment = False
    if kind in {XUDT, XUDTS} and data[pointer + 3]:
        segment = _more_segments(data, pointer + 3 + data[pointer + 3], end)
    return Unitdata(
        kind,
        protocol_class,
        wants_return,
        hops,
        cause,
        data[called_at:called_end],
        data[calling_at:calling_end],
        start,
        stop,
        segment,
    )


def unitdata(kind: int, protocol_class: int, called: bytes, calling: bytes, user: bytes) -> bytes:
    """A UDT, or an XUDT with full hop counter; `protocol_class` with the return option in bit 8.

    Raises:
        SccpError: a parameter exceeds its length octet.
    """
    return _message(bytes((kind, protocol_class)), kind == XUDT, called, calling, user)


def returned(kind: int, cause: int, received: Unitdata, user: bytes) -> bytes:
    """The UDTS or XUDTS that gives `received` back to its sender."""
    return _message(bytes((kind, cause)), kind == XUDTS, received.calling, received.called, user)


def management(form: int, ssn: int, point_code: int, multiplicity: int = 0) -> bytes:
    """An SCMG message (Q.713 5): subsystem allowed, prohibited or status test."""
    return bytes((form, ssn)) + point_code.to_bytes(2, "little") + bytes((multiplicity,))


def _message(head: bytes, extended: bool, called: bytes, calling: bytes, user: bytes) -> bytes:
    if max(len(called), len(calling), len(user)) > 0xFF or not called or not calling or not user:
        raise SccpError("a parameter does not fit its length octet")
    count = 4 if extended else 3
    first = count
    second = first + len(called)
    third = second + len(calling)
    if third > 0xFF:
        raise SccpError("the addresses do not fit the pointers")
    pointers = bytes((first, second, third, 0)) if extended else bytes((first, second, third))
    return b"".join(
        (
            head,
            bytes((_MAX_HOPS,)) if extended else b"",
            pointers,
            bytes((len(called),)),
            called,
            bytes((len(calling),)),
            calling,
            bytes((len(user),)),
            user,
        )
    )


def _variable(data: bytes, pointer: int, end: int) -> tuple[int, int]:
    if pointer >= end:
        raise SccpError("a pointer is missing")
    at = pointer + data[pointer]
    if at == pointer or at >= end:
        raise SccpError("a pointer leads out of the message")
    stop = at + 1 + data[at]
    if stop > end or stop == at + 1:
        raise SccpError("a parameter is empty or leads out of the message")
    return at + 1, stop


def _more_segments(data: bytes, at: int, end: int) -> bool:
    while True:
        if at >= end:
            raise SccpError("the end of the optional parameters is missing")
        name = data[at]
        if name == 0:
            return False
        if at + 1 >= end or at + 2 + data[at + 1] > end:
            raise SccpError("an optional parameter leads out of the message")
        if name == _SEGMENTATION:
            if data[at + 1] != 4:
                raise SccpError("the segmentation parameter has 4 octets")
            return bool(data[at + 2] & 0x0F) or not data[at + 2] & 0x80
        at += 2 + data[at + 1]
