"""SMPP's units of data, made and read by the library; the rest of the program sees only what stands here."""

import logging
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import smpplib.consts
import smpplib.exceptions
import smpplib.smpp

# It warns of every field that it does not know; there are some in nearly every unit of some centres.
logging.getLogger("smpplib").setLevel(logging.ERROR)

HEADER = 16
LONGEST = 70_000
"""Octets of a unit: the longest field there is has 65,535."""

ROK = 0x00
TEMPORARY = frozenset({0x08, 0x14, 0x45, 0x58, 0x64})
"""System error, queue full, submission failed, throttled, temporary error: the same may pass later."""
ALREADY_BOUND = 0x05
REFUSED_FOR_NOW, REFUSED_FOR_GOOD = 0x64, 0x65
"""What a message that we cannot keep now, or cannot read at all, is answered with."""


_DELIVER_SM = 0x05
_ANSWER = 0x80000000
_UNKNOWN_COMMAND = 0x03


class BrokenUnitError(Exception):
    """What came is no unit of SMPP, and where the next one begins is not known."""


class UnreadableUnitError(Exception):
    """A whole unit came, and what is in it cannot be read."""

    def __init__(self, problem: str, command: int, sequence: int) -> None:
        super().__init__(problem)
        self._command, self._sequence = command, sequence

    def answer(self) -> bytes:
        """What it is answered with, so that it is not brought again; nothing if it is an answer itself."""
        if self._command & _ANSWER:
            return b""
        if self._command == _DELIVER_SM:
            return make("deliver_sm_resp", self._sequence, REFUSED_FOR_GOOD, {"message_id": ""})
        return make("generic_nack", self._sequence, _UNKNOWN_COMMAND)


class _Numbered:
    """What the library asks for the next number; ours are given."""

    sequence = 0

    def next_sequence(self) -> int:
        return 0


@dataclass(frozen=True)
class Unit:
    """A unit that came.

    Args:
        status: of an answer.
        fields: as the library read them: octets and numbers.
    """

    command: str
    status: int
    sequence: int
    fields: Any

    def octets(self, name: str) -> bytes:
        """A field of octets; none: empty."""
        value = getattr(self.fields, name, None)
        return value if isinstance(value, bytes) else b""

    def number(self, name: str) -> int | None:
        """A field of a number."""
        value = getattr(self.fields, name, None)
        return value if isinstance(value, int) else None


def length_of(header: bytes) -> int:
    """How long the unit is that begins so.

    Raises:
        BrokenUnitError: none is so long or so short.
    """
    length: int = struct.unpack_from(">I", header)[0]
    if not HEADER <= length <= LONGEST:
        raise BrokenUnitError(f"a unit of {length} octets")
    return length


def read(data: bytes) -> Unit:
    """A unit from its octets.

    Raises:
        UnreadableUnitError: it is none that is known.
    """
    _, command, status, sequence = struct.unpack_from(">IIII", data)
    try:
        found = smpplib.smpp.parse_pdu(data, client=_Numbered(), allow_unknown_opt_params=True)
    except (
        smpplib.exceptions.PDUError,
        smpplib.exceptions.UnknownCommandError,
        struct.error,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        problem = f"a unit of kind 0x{command:X} cannot be read: {type(error).__name__}"
        raise UnreadableUnitError(problem, command, sequence) from error
    return Unit(found.command, status, sequence, found)


def make(command: str, sequence: int, status: int = ROK, fields: Mapping[str, object] | None = None) -> bytes:
    """The octets of a unit."""
    unit = smpplib.smpp.make_pdu(
        command, client=_Numbered(), sequence=sequence, status=status, **(fields or {})
    )
    unit.sequence, unit.status = sequence, status
    octets: bytes = unit.generate()
    return octets


def described(status: int) -> str:
    """A status in words."""
    words = smpplib.consts.DESCRIPTIONS.get(status)
    return f"{words} (0x{status:X})" if words else f"status 0x{status:X}"
