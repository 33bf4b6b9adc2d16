"""The asking side of ME-Identity-Check: what an MME or SGSN sends, and what it reads in the answer."""

from dataclasses import dataclass

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import (
    Place,
    encode,
    encode_unsigned,
    grammar,
    read_avps,
    sort_out,
)
from ceir.interfaces.s13.codec import (
    PROXIABLE,
    REQUEST,
    VENDOR_APPLICATION,
    Node,
    encode_message,
)
from ceir.interfaces.s13.dictionary import Command
from ceir.interfaces.s13.identity_check import WIRE_STATUS

_ANSWER_GRAMMAR = grammar(
    Place(d.SESSION_ID),
    Place(d.VENDOR_SPECIFIC_APPLICATION_ID),
    Place(d.RESULT_CODE),
    Place(d.EXPERIMENTAL_RESULT),
    Place(d.AUTH_SESSION_STATE),
    Place(d.ORIGIN_HOST, 1),
    Place(d.ORIGIN_REALM, 1),
    Place(d.EQUIPMENT_STATUS),
    Place(d.FAILED_AVP, 0, None),
    Place(d.PROXY_INFO, 0, None),
    Place(d.ROUTE_RECORD, 0, None),
)
_EXPERIMENTAL_GRAMMAR = grammar(Place(d.VENDOR_ID, 1), Place(d.EXPERIMENTAL_RESULT_CODE, 1))
_STATUS_OF = {number: status for status, number in WIRE_STATUS.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says.

    Args:
        imei: as it is sent: 14, 15 or 16 digits.
        software_version: 2 digits; empty: not sent.
        imsi: empty: not sent.
        destination_host: empty: not sent.
        extra: further attributes, encoded.
    """

    session: str
    imei: str
    software_version: str = ""
    imsi: str = ""
    destination_realm: str = ""
    destination_host: str = ""
    extra: bytes = b""


def encode_check(node: Node, asked: Asked, hop_by_hop: int, end_to_end: int) -> bytes:
    """A ME-Identity-Check-Request of this node. Source: TS 29.272 clause 7.2.19."""
    terminal = encode(d.IMEI, asked.imei.encode())
    if asked.software_version:
        terminal += encode(d.SOFTWARE_VERSION, asked.software_version.encode())
    body = (
        encode(d.SESSION_ID, asked.session.encode())
        + VENDOR_APPLICATION
        + encode_unsigned(d.AUTH_SESSION_STATE, d.NO_STATE_MAINTAINED)
        + node.origin
    )
    if asked.destination_host:
        body += encode(d.DESTINATION_HOST, asked.destination_host.encode())
    body += encode(d.DESTINATION_REALM, (asked.destination_realm or node.realm).encode())
    body += encode(d.TERMINAL_INFORMATION, terminal)
    if asked.imsi:
        body += encode(d.USER_NAME, asked.imsi.encode())
    body += asked.extra
    return encode_message(
        Command.ME_IDENTITY_CHECK, REQUEST | PROXIABLE, d.S13_APPLICATION, hop_by_hop, end_to_end, body
    )


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What an answer says.

    Args:
        status: None when the request was refused.
        result: the result code, or the experimental one.
        failed: the content of Failed-AVP.
    """

    status: EquipmentStatus | None
    result: int
    session: str
    failed: bytes


def decode_answer(body: bytes) -> CheckAnswer:
    """What a ME-Identity-Check-Answer says.

    Raises:
        RefusedError: it cannot be read.
    """
    found = sort_out(read_avps(body), _ANSWER_GRAMMAR)
    status, number = None, 0
    if d.EXPERIMENTAL_RESULT in found:
        inner = sort_out(read_avps(found[d.EXPERIMENTAL_RESULT][0].data), _EXPERIMENTAL_GRAMMAR)
        number = inner[d.EXPERIMENTAL_RESULT_CODE][0].unsigned
        if number == d.EQUIPMENT_UNKNOWN:
            status = EquipmentStatus.UNKNOWN
    elif d.RESULT_CODE in found:
        number = found[d.RESULT_CODE][0].unsigned
        if number == d.Result.SUCCESS and d.EQUIPMENT_STATUS in found:
            status = _STATUS_OF.get(found[d.EQUIPMENT_STATUS][0].unsigned)
    session = found[d.SESSION_ID][0].data.decode("utf-8", "replace") if d.SESSION_ID in found else ""
    failed = b"".join(avp.data for avp in found.get(d.FAILED_AVP, ()))
    return CheckAnswer(status, number, session, failed)
