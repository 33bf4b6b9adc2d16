"""The part of BER (X.690) that TCAP and MAP need, read without copying."""

from typing import NamedTuple

from ceir.interfaces.map.errors import BerError

MAX_DEPTH = 16


class Element(NamedTuple):
    """One element in place: its content is `data[start:stop]`, the next element begins at `after`."""

    tag: int
    start: int
    stop: int
    after: int


def element(data: bytes, at: int, end: int, depth: int = 0) -> Element:
    """The element that begins at `at` and ends no later than `end`.

    All three forms of length are read (Q.773 allows them), tags of up to three octets.

    Raises:
        BerError: it does not fit, is nested too deep, or uses a reserved form.
    """
    if at >= end:
        raise BerError("an element is missing")
    tag = data[at]
    at += 1
    if tag & 0x1F == 0x1F:
        tag, at = _long_tag(data, tag, at, end)
    if at >= end:
        raise BerError("the length is cut off")
    length = data[at]
    at += 1
    if length < 0x80:
        stop = at + length
    elif length == 0x80:
        return _indefinite(data, tag, at, end, depth)
    else:
        count = length & 0x7F
        if count > 4 or at + count > end:
            raise BerError("the length has more octets than can be meant")
        stop = at + count + int.from_bytes(data[at : at + count], "big")
        at += count
    if stop > end:
        raise BerError("an element reaches beyond the one around it")
    return Element(tag, at, stop, stop)


def elements(data: bytes, at: int, end: int) -> list[Element]:
    """All elements of a constructed content, which they fill exactly.

    Raises:
        BerError: they do not.
    """
    found = []
    while at < end:
        one = element(data, at, end)
        found.append(one)
        at = one.after
    return found


def integer(data: bytes, one: Element) -> int:
    """The value of an INTEGER or ENUMERATED of at most four octets.

    Raises:
        BerError: it is empty or longer.
    """
    if not 1 <= one.stop - one.start <= 4:
        raise BerError("an integer has no octet, or more than four")
    return int.from_bytes(data[one.start : one.stop], "big", signed=True)


def tlv(tag: int, content: bytes) -> bytes:
    """An element with the shortest definite length; `tag` is one octet."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    if size < 0x100:
        return bytes((tag, 0x81, size)) + content
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + content


def _long_tag(data: bytes, tag: int, at: int, end: int) -> tuple[int, int]:
    for _ in range(2):
        if at >= end:
            break
        octet = data[at]
        tag = tag << 8 | octet
        at += 1
        if octet < 0x80:
            return tag, at
    raise BerError("the tag is cut off or too long")


def _indefinite(data: bytes, tag: int, at: int, end: int, depth: int) -> Element:
    first = tag
    while first > 0xFF:
        first >>= 8
    if not first & 0x20:
        raise BerError("an indefinite length on a primitive element")
    if depth >= MAX_DEPTH:
        raise BerError("elements are nested too deep")
    start = at
    while True:
        if at + 2 > end:
            raise BerError("the end of an indefinite length is missing")
        if data[at] == 0 and data[at + 1] == 0:
            return Element(tag, start, at, at + 2)
        at = element(data, at, end, depth + 1).after
