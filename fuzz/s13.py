"""Throws hostile octets at the S13 conversation for as long as told.

    python fuzz/s13.py [--seconds 600] [--seed 1] [--corpus FOLDER] [--keep FOLDER]

Good messages are damaged, cut, repeated and put together, and fed in pieces. What must hold for every one:
nothing is raised; every answer can be cut and read; the strict reading agrees with the quick one; no more
than a message is kept; what is answered is no more than a bound; memory does not grow. The first input that
breaks this is written to `--keep` and shown.
"""

import random
import sys
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from octets import BrokenPromiseError, Damage, Target, run

from ceir.equipment_check import Answer, EquipmentStatus, Reason
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, encode_check
from ceir.interfaces.s13.avp import RefusedError, encode, encode_unsigned
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Conversation, Limits, Origin, Peer, Service
from ceir.interfaces.s13.identity_check import Served, decode_check, read_quickly

SERVER = Node("eir.example.org", "example.org", origin_state_id=1)
MME = Node("mme.example.org", "example.org")
SERVED = Served(SERVER)
CER = codec.encode_cer(MME, 1, 1)
_ANSWERS = [Answer(status, Reason.DEFAULT) for status in EquipmentStatus]
_PROXY = encode(d.PROXY_INFO, encode(d.PROXY_HOST, b"dra.example.org") + b"\0\0\0\x21\x40\0\0\x0bABC\0")

SEEDS = [
    CER,
    codec.encode_dwr(MME, 1, 1),
    codec.encode_dpr(MME, d.DisconnectCause.BUSY, 1, 1),
    encode_check(MME, Asked("s;1;1", "35345678901234", "01", "001010123456789"), 1, 1),
    encode_check(MME, Asked("s;1;12", "353456789012345"), 1, 1),
    encode_check(MME, Asked("s;1;123", "3534567890123456", destination_host=SERVER.host, extra=_PROXY), 1, 1),
    encode_check(MME, Asked("s;1;1234", "1", extra=encode(d.ROUTE_RECORD, b"dra.example.org") * 2), 1, 1),
    encode_check(MME, Asked("s", "35345678901234", extra=encode_unsigned(d.ORIGIN_STATE_ID, 9)), 1, 1),
]
_INTERESTING = [0, 1, 2, 3, 7, 8, 9, 11, 12, 13, 16, 19, 20, 21, 64, 127, 128, 255]


class Fixed:
    """Answers without a list; every status comes up."""

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:  # noqa: ARG002
        """Any of them, by the number."""
        return _ANSWERS[(imei or 0) % len(_ANSWERS)]


def damaged(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A message, or several, with some octets that are not as they were."""
    octets = bytearray(b"".join(draw.choice(seeds) for _ in range(draw.choice([1, 1, 1, 2, 5]))))
    for _ in range(draw.choice([0, 1, 1, 2, 3, 8])):
        at = draw.randrange(len(octets))
        kind = draw.randrange(6)
        if kind == 0:
            octets[at] = draw.choice(_INTERESTING)
        elif kind == 1:
            octets[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            del octets[at : at + draw.randrange(1, 9)]
        elif kind == 3:
            octets[at:at] = draw.randbytes(draw.randrange(1, 9))
        elif kind == 4:
            other = draw.choice(seeds)
            cut = draw.randrange(len(other))
            octets[at:at] = other[cut : cut + draw.randrange(1, 60)]
        else:
            start = at // 4 * 4
            octets[start : start + 4] = draw.choice([b"\xff" * 4, b"\0" * 4, b"\0\0\0\x08", b"\x40\0\0\x0c"])
        if not octets:
            octets += b"\1"
    if draw.random() < 0.6 and len(octets) >= 4:  # a length that holds, so that what follows is looked at
        size = len(octets) // 4 * 4
        del octets[size:]
        octets[1:4] = min(size, 0xFFFFFC).to_bytes(3, "big")
    return bytes(octets)


def pieces(draw: random.Random, octets: bytes) -> Iterator[bytes]:
    """The octets as a network may bring them."""
    if draw.random() < 0.7:
        yield octets
        return
    at = 0
    while at < len(octets):
        step = draw.choice([1, 3, 20, 21, 100, 1000])
        yield octets[at : at + step]
        at += step


def try_one(service: Service, octets: bytes, parts: list[bytes], *, opened: bool) -> None:
    """Feeds one input and looks at everything that must hold.

    Raises:
        BrokenPromiseError: something does not.
    """
    conversation = Conversation(service, Origin(IPv4Address("192.0.2.1")), 0.0)
    if opened:
        conversation.receive(CER, 0.0)
    answered = 0
    for part in parts:
        for message in conversation.receive(part, 1.0):
            answered += len(message)
            header = codec.read_header(message, 0, 1 << 24)
            if header.size != len(message) or header.is_request:
                raise BrokenPromiseError("an answer is not one whole answer")
            _cut(message)
        if len(conversation._rest) > service.limits.message:
            raise BrokenPromiseError("more than a message is kept")
    if answered > 20 * len(octets) + 1000:
        raise BrokenPromiseError(f"{answered} octets answer {len(octets)}")
    conversation.tick(2.0)
    conversation.closed()
    if service.counters.connected or service.counters.failures:
        raise BrokenPromiseError("a connection is counted that is gone, or a checker failed")
    if len(octets) >= 20:
        quick = read_quickly(octets, 20, len(octets), SERVED)
        if quick is not None:
            try:
                strict = decode_check(octets[20:], SERVED)
            except RefusedError as error:
                raise BrokenPromiseError(f"the quick reader takes what is refused: {error}") from error
            if strict != quick:
                raise BrokenPromiseError("the two readers differ")


def _cut(message: bytes) -> None:
    at = 20
    while at < len(message):
        size = int.from_bytes(message[at + 5 : at + 8], "big")
        if size < 8 or at + size > len(message):
            raise BrokenPromiseError("an answer's attributes do not fit")
        at += (size + 3) // 4 * 4
    if at != len(message):
        raise BrokenPromiseError("an answer's attributes do not fill it")


class Thrower:
    """What is fuzzed: one service through the whole run; each input in a connection of its own, twice."""

    def __init__(self) -> None:
        self.service = Service(SERVER, [Peer(MME.host)], Fixed(), Limits(), lambda: 0.0)

    def __call__(self, octets: bytes) -> None:
        """Raises only when there is a mistake in the conversation."""
        # How it is cut follows from the input alone, so that a file of the corpus always does the same.
        draw = random.Random(octets)  # noqa: S311 - reproducible, not secret
        for opened in (True, False):
            try_one(self.service, octets, list(pieces(draw, octets)), opened=opened)


def harness() -> tuple[Target, list[bytes], Damage]:
    """What is thrown at what."""
    return Thrower(), SEEDS, damaged


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", *harness()))
