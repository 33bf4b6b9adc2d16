"""TCAP (Q.773): transaction, dialogue and component portion, as far as an EIR meets them."""

from typing import NamedTuple

from ceir.interfaces.map.ber import Element, element, elements, integer, tlv
from ceir.interfaces.map.errors import BerError, DialogueError, TcapError

UNIDIRECTIONAL, BEGIN, END, CONTINUE, ABORT = 0x61, 0x62, 0x64, 0x65, 0x67
INVOKE, RETURN_RESULT_LAST, RETURN_ERROR, REJECT, RETURN_RESULT = 0xA1, 0xA2, 0xA3, 0xA4, 0xA7
AARQ, AARE, ABRT = 0x60, 0x61, 0x64

UNRECOGNIZED_MESSAGE_TYPE = 0
UNRECOGNIZED_TRANSACTION = 1
BADLY_FORMATTED = 2
INCORRECT_TRANSACTION_PORTION = 3
RESOURCE_LIMITATION = 4

GENERAL_PROBLEM, INVOKE_PROBLEM, RESULT_PROBLEM, ERROR_PROBLEM = 0x80, 0x81, 0x82, 0x83
UNRECOGNIZED_COMPONENT, MISTYPED_COMPONENT, BADLY_STRUCTURED_COMPONENT = 0, 1, 2
UNRECOGNIZED_OPERATION, MISTYPED_PARAMETER = 1, 2

DIALOGUE_AS_ID = bytes.fromhex("00118605010101")
UNIDIALOGUE_AS_ID = bytes.fromhex("00118605010201")
MAP_DIALOGUE_AS = bytes.fromhex("04000001010101")
_VERSION_1 = bytes.fromhex("80020780")

MAX_COMPONENTS = 8


class Dialogue(NamedTuple):
    """A structured dialogue APDU (Q.773 table 49).

    Args:
        kind: AARQ, AARE or ABRT.
        context: the content octets of the application context name; empty in ABRT.
        version1: protocol version 1 is offered or assumed.
        result: AARE: 0 accepted, 1 refused for good; ABRT: the source, 0 user, 1 provider.
        diagnostic: AARE: (0xA1 user or 0xA2 provider, number); None elsewhere.
        user: the element inside the first user information; None: there is none.
    """

    kind: int
    context: bytes
    version1: bool = True
    result: int | None = None
    diagnostic: tuple[int, int] | None = None
    user: Element | None = None


class Component(NamedTuple):
    """One component in place.

    Args:
        kind: INVOKE, RETURN_RESULT_LAST, RETURN_RESULT, RETURN_ERROR or REJECT.
        invoke_id: -128 to 127; None: a reject that could not tell.
        invoke_at: where its octet lies.
        number: operation or error code; a reject's problem; None: a global code or no result sequence.
        parameter: argument, result or error parameter.
        trailing: what some equipment appends after the argument of an invoke.
        problem: (problem tag, problem) with which to reject it: it is broken.
    """

    kind: int
    invoke_id: int | None
    invoke_at: int
    number: int | None = None
    parameter: Element | None = None
    trailing: Element | None = None
    problem: tuple[int, int] | None = None


class Message(NamedTuple):
    """A TCAP message in place; `otid_at` is where the originating transaction id lies."""

    kind: int
    otid: bytes | None
    otid_at: int
    dtid: bytes | None
    dialogue: Dialogue | DialogueError | None
    components: tuple[Component, ...]
    p_abort: int | None = None


def decode(data: bytes, at: int = 0, end: int | None = None) -> Message:
    """The message that fills `data[at:end]`.

    A broken dialogue portion comes as the error in its place, a broken component with its `problem`:
    both are answered in the dialogue and not by an abort of the transaction.

    Raises:
        TcapError: the transaction portion cannot be used.
    """
    end = len(data) if end is None else end
    peer: bytes | None = None
    kind = data[at] if at < end else 0
    try:
        outer = element(data, at, end)
        parts = elements(data, outer.start, outer.stop)
    except BerError as error:
        raise TcapError(error.detail, BADLY_FORMATTED, _peer_guess(data, at, end, kind)) from None
    if outer.after != end:
        raise TcapError("octets follow the message", BADLY_FORMATTED, _peer_guess(data, at, end, kind))
    here = 0
    otid_at = 0
    dtid: bytes | None = None
    if parts and parts[0].tag == 0x48:
        peer, otid_at = _transaction(data, parts[0]), parts[0].start
        here = 1
    if here < len(parts) and parts[here].tag == 0x49:
        dtid = _transaction(data, parts[here], peer)
        here += 1
    wanted = {BEGIN: (True, False), CONTINUE: (True, True), END: (False, True), ABORT: (False, True)}
    if kind == UNIDIRECTIONAL:
        wanted[kind] = (False, False)
    if kind not in wanted:
        raise TcapError("the message type is unknown", UNRECOGNIZED_MESSAGE_TYPE, peer)
    if wanted[kind] != (peer is not None, dtid is not None):
        raise TcapError(
            "transaction ids do not fit the message type",
            INCORRECT_TRANSACTION_PORTION,
            peer if kind in {BEGIN, CONTINUE} else None,
        )
    p_abort: int | None = None
    dialogue: Dialogue | DialogueError | None = None
    components: tuple[Component, ...] = ()
    for part in parts[here:]:
        if part.tag == 0x6B and dialogue is None and not components and p_abort is None:
            dialogue = _dialogue_or_error(data, part)
        elif part.tag == 0x6C and not components and kind != ABORT:
            components = _components(data, part, peer)
        elif part.tag == 0x4A and kind == ABORT and dialogue is None and p_abort is None:
            p_abort = data[part.start] if part.stop - part.start == 1 else -1
        else:
            raise TcapError("an element is out of place", INCORRECT_TRANSACTION_PORTION, peer)
    return Message(kind, peer, otid_at, dtid, dialogue, components, p_abort)


def begin(otid: bytes, dialogue: bytes, components: bytes) -> bytes:
    """TC-BEGIN; `dialogue` and `components` are whole portions or empty."""
    return tlv(BEGIN, tlv(0x48, otid) + dialogue + components)


def proceed(otid: bytes, dtid: bytes, dialogue: bytes, components: bytes) -> bytes:
    """TC-CONTINUE."""
    return tlv(CONTINUE, tlv(0x48, otid) + tlv(0x49, dtid) + dialogue + components)


def end(dtid: bytes, dialogue: bytes, components: bytes) -> bytes:
    """TC-END."""
    return tlv(END, tlv(0x49, dtid) + dialogue + components)


def abort(dtid: bytes, cause: int | None = None, dialogue: bytes = b"") -> bytes:
    """TC-P-ABORT with a cause, or TC-U-ABORT with a dialogue portion."""
    return tlv(ABORT, tlv(0x49, dtid) + (b"" if cause is None else bytes((0x4A, 1, cause))) + dialogue)


def dialogue_portion(apdu: bytes) -> bytes:
    """A dialogue APDU as the dialogue portion."""
    return tlv(0x6B, tlv(0x28, tlv(0x06, DIALOGUE_AS_ID) + tlv(0xA0, apdu)))


def request(context: bytes, user: bytes = b"") -> bytes:
    """Dialogue portion that asks for an application context (AARQ); `user`: a MAP-DialoguePDU."""
    return dialogue_portion(tlv(AARQ, _VERSION_1 + tlv(0xA1, tlv(0x06, context)) + _user(user)))


def response(context: bytes, result: int, diagnostic: tuple[int, int], user: bytes = b"") -> bytes:
    """Dialogue portion that accepts or refuses (AARE)."""
    source, number = diagnostic
    return dialogue_portion(
        tlv(
            AARE,
            _VERSION_1
            + tlv(0xA1, tlv(0x06, context))
            + tlv(0xA2, bytes((2, 1, result)))
            + tlv(0xA3, tlv(source, bytes((2, 1, number))))
            + _user(user),
        )
    )


def dialogue_abort(source: int, user: bytes = b"") -> bytes:
    """Dialogue portion of an abort (ABRT); source: 0 user, 1 provider."""
    return dialogue_portion(tlv(ABRT, bytes((0x80, 1, source)) + _user(user)))


def component_portion(*components: bytes) -> bytes:
    """Components as the component portion."""
    return tlv(0x6C, b"".join(components))


def invoke(invoke_id: int, operation: int, argument: bytes) -> bytes:
    """An invoke with a local operation code."""
    return tlv(INVOKE, bytes((2, 1, invoke_id & 0xFF, 2, 1, operation)) + argument)


def return_result(invoke_id: int, operation: int, result: bytes) -> bytes:
    """A last result."""
    return tlv(
        RETURN_RESULT_LAST, bytes((2, 1, invoke_id & 0xFF)) + tlv(0x30, bytes((2, 1, operation)) + result)
    )


def return_error(invoke_id: int, error: int) -> bytes:
    """A local error without parameter."""
    return tlv(RETURN_ERROR, bytes((2, 1, invoke_id & 0xFF, 2, 1, error)))


def reject(invoke_id: int | None, problem: tuple[int, int]) -> bytes:
    """A reject; the id is NULL when it could not be read."""
    who = b"\x05\x00" if invoke_id is None else bytes((2, 1, invoke_id & 0xFF))
    return tlv(REJECT, who + bytes((problem[0], 1, problem[1])))


def _user(pdu: bytes) -> bytes:
    return tlv(0xBE, tlv(0x28, tlv(0x06, MAP_DIALOGUE_AS) + tlv(0xA0, pdu))) if pdu else b""


def _transaction(data: bytes, one: Element, peer: bytes | None = None) -> bytes:
    if not 1 <= one.stop - one.start <= 4:
        raise TcapError("a transaction id has 1 to 4 octets", BADLY_FORMATTED, peer)
    return data[one.start : one.stop]


def _peer_guess(data: bytes, at: int, end: int, kind: int) -> bytes | None:
    """The originating id of a message whose rest is broken, when its first element still is one."""
    if kind not in {BEGIN, CONTINUE} or at + 1 >= end:
        return None
    first = data[at + 1]
    inner = at + 2 + (first & 0x7F if first > 0x80 else 0)
    try:
        one = element(data, inner, end)
    except BerError:
        return None
    return data[one.start : one.stop] if one.tag == 0x48 and 1 <= one.stop - one.start <= 4 else None


def _dialogue_or_error(data: bytes, part: Element) -> Dialogue | DialogueError:
    try:
        return _dialogue(data, part)
    except BerError as error:
        return DialogueError(error.detail)
    except DialogueError as error:
        return error


def _dialogue(data: bytes, part: Element) -> Dialogue:
    external = element(data, part.start, part.stop)
    if external.tag != 0x28 or external.after != part.stop:
        raise DialogueError("the dialogue portion is no single EXTERNAL")
    name, body = _external(data, external)
    if name != DIALOGUE_AS_ID:
        raise DialogueError("the abstract syntax is not that of structured dialogues")
    if body.tag not in {AARQ, AARE, ABRT}:
        raise DialogueError("the dialogue APDU is unknown")
    found = {one.tag: one for one in reversed(elements(data, body.start, body.stop))}
    context = b""
    if body.tag != ABRT:
        if 0xA1 not in found:
            raise DialogueError("the application context name is missing")
        inner = element(data, found[0xA1].start, found[0xA1].stop)
        if inner.tag != 0x06 or inner.after != found[0xA1].stop or inner.start == inner.stop:
            raise DialogueError("the application context name is no object identifier")
        context = data[inner.start : inner.stop]
    version = found.get(0x80) if body.tag != ABRT else None
    version1 = version is None or (
        version.stop - version.start >= 2 and data[version.start] < 8 and bool(data[version.start + 1] & 0x80)
    )
    result: int | None = None
    diagnostic: tuple[int, int] | None = None
    if body.tag == AARE:
        if 0xA2 not in found or 0xA3 not in found:
            raise DialogueError("result or diagnostic is missing")
        result = integer(data, element(data, found[0xA2].start, found[0xA2].stop))
        source = element(data, found[0xA3].start, found[0xA3].stop)
        diagnostic = (source.tag, integer(data, element(data, source.start, source.stop)))
    elif body.tag == ABRT:
        if 0x80 not in found:
            raise DialogueError("the source of the abort is missing")
        result = integer(data, found[0x80])
    user = _user_information(data, found[0xBE]) if 0xBE in found else None
    return Dialogue(body.tag, context, version1, result, diagnostic, user)


def _external(data: bytes, one: Element) -> tuple[bytes, Element]:
    inside = elements(data, one.start, one.stop)
    if len(inside) < 2 or inside[0].tag != 0x06 or inside[-1].tag != 0xA0:
        raise DialogueError("an EXTERNAL without name or without a single ASN.1 type")
    body = element(data, inside[-1].start, inside[-1].stop)
    if body.after != inside[-1].stop:
        raise DialogueError("an EXTERNAL with more than one value")
    return data[inside[0].start : inside[0].stop], body


def _user_information(data: bytes, one: Element) -> Element | None:
    first = element(data, one.start, one.stop)
    if first.tag != 0x28:
        raise DialogueError("user information is no EXTERNAL")
    inside = elements(data, first.start, first.stop)
    if len(inside) != 2 or inside[1].tag != 0xA0 or data[inside[0].start : inside[0].stop] != MAP_DIALOGUE_AS:
        return None
    return element(data, inside[1].start, inside[1].stop)


def _components(data: bytes, part: Element, peer: bytes | None) -> tuple[Component, ...]:
    found: list[Component] = []
    at = part.start
    if at == part.stop:
        raise TcapError("the component portion is empty", INCORRECT_TRANSACTION_PORTION, peer)
    while at < part.stop:
        if len(found) == MAX_COMPONENTS:
            raise TcapError("more components than are read", RESOURCE_LIMITATION, peer)
        try:
            one = element(data, at, part.stop)
        except BerError:
            found.append(_broken(BADLY_STRUCTURED_COMPONENT))
            break
        found.append(_component(data, one))
        at = one.after
    return tuple(found)


def _broken(problem: int, kind: int = 0, invoke_id: int | None = None) -> Component:
    return Component(kind, invoke_id, 0, problem=(GENERAL_PROBLEM, problem))


def _component(data: bytes, one: Element) -> Component:  # noqa: PLR0911 - one way out per kind of damage
    if one.tag not in {INVOKE, RETURN_RESULT_LAST, RETURN_ERROR, REJECT, RETURN_RESULT}:
        return _broken(UNRECOGNIZED_COMPONENT)
    try:
        inside = elements(data, one.start, one.stop)
    except BerError:
        return _broken(BADLY_STRUCTURED_COMPONENT, one.tag)
    if not inside or (inside[0].tag != 0x02 and not (one.tag == REJECT and inside[0].tag == 0x05)):
        return _broken(MISTYPED_COMPONENT, one.tag)
    first = inside[0]
    if first.tag == 0x05:
        invoke_id = None
    elif first.stop - first.start == 1:
        invoke_id = (data[first.start] ^ 0x80) - 0x80
    else:
        return _broken(MISTYPED_COMPONENT, one.tag)
    rest = inside[1:]
    if one.tag == INVOKE and rest and rest[0].tag == 0x80:
        rest = rest[1:]
    if one.tag in {RETURN_RESULT_LAST, RETURN_RESULT} and rest:
        if rest[0].tag != 0x30 or len(rest) > 1:
            return _broken(MISTYPED_COMPONENT, one.tag, invoke_id)
        try:
            rest = elements(data, rest[0].start, rest[0].stop)
        except BerError:
            return _broken(BADLY_STRUCTURED_COMPONENT, one.tag, invoke_id)
    elif one.tag in {RETURN_RESULT_LAST, RETURN_RESULT}:
        return Component(one.tag, invoke_id, first.start)
    return _numbered(data, one, first, invoke_id, rest)


def _numbered(
    data: bytes, one: Element, first: Element, invoke_id: int | None, rest: list[Element]
) -> Component:
    allowed = range(0x80, 0x84) if one.tag == REJECT else (0x02, 0x06)
    if not rest or rest[0].tag not in allowed or len(rest) > 3 or (one.tag != INVOKE and len(rest) > 2):
        return _broken(MISTYPED_COMPONENT, one.tag, invoke_id)
    number: int | None = None
    if rest[0].tag != 0x06:
        try:
            number = integer(data, rest[0])
        except BerError:
            return _broken(MISTYPED_COMPONENT, one.tag, invoke_id)
    parameter = rest[1] if len(rest) > 1 else None
    trailing = rest[2] if len(rest) > 2 else None
    return Component(one.tag, invoke_id, first.start, number, parameter, trailing)
