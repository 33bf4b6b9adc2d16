"""Load for a MAP server: what an MSC or SGSN asks, as fast as is wanted, over SCTP or TCP."""

import asyncio
import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ceir.equipment_check import EquipmentStatus, Question
from ceir.interfaces.load.calling import WORDS_KEPT, Caller, Clock, PeerRefusedError, UnreachableError
from ceir.interfaces.map import m3ua, sccp, tcap
from ceir.interfaces.map.asking import Asking, Told, told
from ceir.interfaces.map.association import Association, AssociationOptions, Role, State
from ceir.interfaces.map.check_imei import UNKNOWN_EQUIPMENT, WIRE_STATUS
from ceir.interfaces.map.errors import MapWireError, TransportError
from ceir.interfaces.map.transport import Link, LinkLimits, Transport, connected

_NUMBER = struct.Struct(">I")
_MARKED: Final = 0xA5C3_96F0
_STATUS_WORDS: Final = {number: status.value for status, number in WIRE_STATUS.items()}
_LINKS: Final = 16
_RETURNED: Final = frozenset({sccp.UDTS, sccp.XUDTS})

_VERSION: Final = 3
"""The lowest bits of a transaction id tell the version that was asked in: results depend on it."""

_STEP: Final = 4
_FIRST: Final = 0x5A00_0000
"""Small numbers would be found in other places of a message, too."""


@dataclass
class MapLoad:
    """Makes associations to a server that all draw from the same questions.

    Args:
        versions: of the operation, 1 to 3, asked in turn; an IMSI goes along in versions 1 and 2 only.
        asking: under which addresses.
        wait: seconds for an association.
    """

    questions: Sequence[Question]
    host: str
    port: int
    window: int
    clock: Clock
    transport: Transport = Transport.SCTP
    versions: Sequence[int] = (3,)
    asking: Asking = field(default_factory=Asking)
    wait: float = 5.0

    def __post_init__(self) -> None:
        self._requests = itertools.cycle(
            [
                _prepared(self.asking, version, question, number % _LINKS)
                for version in self.versions
                for number, question in enumerate(self.questions)
            ]
        )

    async def connect(self) -> Caller:
        """One more association.

        Raises:
            UnreachableError: nobody answers.
        """
        try:
            made = await connected(self.transport, self.host, self.port, self.wait)
        except TransportError as error:
            detail = error.detail[0].upper() + error.detail[1:]
            raise UnreachableError(
                f"{detail}.", error.hint or "Is the server up, and is this its port?"
            ) from error
        caller = self.caller()
        caller.begin(Link(made, caller.receive, caller.ended, LinkLimits(), asyncio.get_running_loop()))
        return caller

    def caller(self) -> "MapCaller":
        """The client's side of one more association."""
        options = AssociationOptions(
            routing_context=self.asking.routing_context, network_appearance=self.asking.network_appearance
        )
        return MapCaller(self._requests, options, self.window, self.clock)


def _prepared(asking: Asking, version: int, question: Question, sls: int) -> tuple[bytes, bytes, int]:
    """A request in two pieces, between which the transaction id belongs, and its version."""
    digits = "" if question.imei is None else f"{question.imei:014}"
    digits += "" if question.software_version is None else f"{question.software_version:02}"
    imsi = None if question.imsi is None or version == 3 else str(question.imsi)[1:]
    # A marker shows where the transaction id lies: no address, tag or digit of ours looks like it.
    whole = asking.request(version, _MARKED, digits, imsi=imsi, sls=sls)
    head, _, tail = whole.partition(_NUMBER.pack(_MARKED))
    return head, tail, version


class MapCaller(Caller):
    """One association: made active, then requests within a window."""

    def __init__(
        self,
        requests: Iterator[tuple[bytes, bytes, int]],
        options: AssociationOptions,
        window: int,
        clock: Clock,
    ) -> None:
        super().__init__(window, clock)
        self._requests = requests
        self._association = Association(Role.IPSP_CLIENT, options)
        self._link: Link | None = None
        self._sequence = _FIRST
        # Of an answer of known length, where its transaction id lies; of one without it, what it says.
        self._place_of: dict[int, int] = {}
        self._word_of: dict[bytes, str] = {}

    def begin(self, link: Link) -> None:
        """Brings the association up.

        Raises:
            TransportError: the link cannot be used.
        """
        self._link = link
        link.start()
        link.send(list(self._association.opening()))

    def transmit(self, due: Sequence[float]) -> None:
        """Begins a dialogue for each time."""
        assert self._link is not None
        out = []
        for when in due:
            head, tail, version = next(self._requests)
            self._sequence = sequence = self._sequence + _STEP & 0xFFFFFFFF
            number = sequence | version
            self.due[number] = when
            out.append(head + _NUMBER.pack(number) + tail)
        self._link.send(out)

    def take_leave(self) -> None:
        """Takes the association down."""
        assert self._link is not None
        self._link.send(list(self._association.closing()))

    def abort(self) -> None:
        """Drops the association."""
        if self._link is not None:
            self._link.close("the load is over")

    def receive(self, link: Link, messages: list[bytes]) -> list[bytes]:
        """Takes the messages of one read; gives those to send back."""
        replies: list[bytes] = []
        now = self.clock()
        for message in messages:
            if (message[2], message[3]) == m3ua.DATA:
                self._take(message, now)
                continue
            if (message[2], message[3]) == m3ua.ERR:
                self._refused(message)
            outcome = self._association.receive(message)
            replies.extend(outcome.replies)
            if self._association.state is State.ACTIVE and not self.ready.done():
                self.ready.set_result(None)
            if outcome.close:
                link.close("the association was ended")
        self.taken(now)
        return replies

    def ended(self, _link: Link, _reason: str) -> None:
        """Called by the link when it is closed."""
        self.lost(
            PeerRefusedError(
                "The server closed the association before it was active.",
                "Is it M3UA that is served there, and is the routing context right?",
            )
        )

    def _take(self, message: bytes, now: float) -> None:
        at = self._place_of.get(len(message))
        if at is not None:
            word = self._word_of.get(message[:at] + message[at + 4 :])
            if word is not None:
                self.answer(_NUMBER.unpack_from(message, at)[0], word, now)
                return
        self._read(message, now)

    def _read(self, message: bytes, now: float) -> None:
        """Reads an answer in full, and remembers it for others that are alike."""
        try:
            payload = m3ua.payload(message)
            unit = sccp.decode(message, payload.start, payload.stop)
            reply = tcap.decode(message, unit.start, unit.stop)
        except MapWireError:
            self.answers["unreadable"] += 1
            return
        returned = unit.kind in _RETURNED
        transaction = (reply.otid if returned else reply.dtid) or b""
        number = int.from_bytes(transaction, "big")
        if returned:
            word = f"sccp returned {unit.cause}"
        else:
            try:
                word = _word(told(message, number & _VERSION))
            except MapWireError:
                word = "unreadable"
        at = message.find(transaction)
        if len(transaction) == 4 and at == message.rfind(transaction) and len(self._word_of) < WORDS_KEPT:
            self._place_of[len(message)] = at
            self._word_of[message[:at] + message[at + 4 :]] = word
        self.answer(number, word, now)

    def _refused(self, message: bytes) -> None:
        """Counts an error message of M3UA; before the association is active it is the end of it."""
        try:
            code = int.from_bytes(m3ua.parameters(message).get(m3ua.ERROR_CODE, b""), "big")
        except MapWireError:
            code = 0
        if self.ready.done():
            self.answers[f"m3ua error {code}"] += 1
        else:
            self.ready.set_exception(
                PeerRefusedError(
                    f"The server refused the association with M3UA error {code}.",
                    "Is the routing context the one that is configured there?",
                )
            )


def _word(answer: Told) -> str:
    if answer.error is not None:
        unknown = answer.error == UNKNOWN_EQUIPMENT
        return EquipmentStatus.UNKNOWN.value if unknown else f"map error {answer.error}"
    if answer.aborted:
        return "aborted" if answer.cause is None else f"aborted {answer.cause}"
    if answer.rejected is not None:
        return f"rejected {answer.rejected[1]}"
    return "no result" if answer.status is None else _STATUS_WORDS[answer.status]
