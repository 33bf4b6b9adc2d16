"""Load for an S13 server: what an MME or SGSN asks, as fast as is wanted, over TCP, TLS or SCTP."""

import asyncio
import itertools
import socket
import ssl
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from ceir.equipment_check import Question
from ceir.errors import CeirError
from ceir.interfaces.load.calling import WORDS_KEPT, Caller, Clock, PeerRefusedError
from ceir.interfaces.s13 import codec, sctp
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.avp import RefusedError
from ceir.interfaces.s13.codec import FramingError, Node
from ceir.interfaces.s13.dictionary import Command, DisconnectCause, Result
from ceir.interfaces.s13.server import Transport

_IDENTIFIERS = struct.Struct(">II")
_HEADER = struct.Struct(">IIIII").unpack_from
_MESSAGE_LIMIT: Final = 1 << 20
_READ: Final = 65_536
_HIGH: Final = 1 << 18
"""Octets that may wait in this process before no more requests are sent."""


def asked(question: Question, number: int, node: Node, realm: str) -> Asked:
    """The request of a question as an MME sends it: 14 digits, and the software version apart.

    Args:
        number: makes the session one of its own among the unanswered.
        realm: the server's.
    """
    return Asked(
        f"{node.host};{number};load",
        "" if question.imei is None else f"{question.imei:014}",
        "" if question.software_version is None else f"{question.software_version:02}",
        "" if question.imsi is None else str(question.imsi)[1:],
        realm,
    )


class _Carrier(Protocol):
    """What brings messages to the server."""

    def send(self, messages: Sequence[bytes]) -> None:
        """Sends them; what the kernel does not take waits."""

    def close(self) -> None:
        """Closes once everything is sent."""

    def abort(self) -> None:
        """Closes at once."""


@dataclass
class S13Load:
    """Makes connections to a server that all draw from the same questions.

    Args:
        node: who we say we are; a peer of the server.
        tls: for TLS only.
        realm: Destination-Realm of the requests; empty: the realm that the server says it is of.
    """

    node: Node
    questions: Sequence[Question]
    host: str
    port: int
    window: int
    connections: int
    clock: Clock
    transport: Transport = Transport.TCP
    tls: ssl.SSLContext | None = None
    realm: str = ""

    def __post_init__(self) -> None:
        self._requests: Iterator[bytearray] | None = None

    async def connect(self) -> Caller:
        """One more connection.

        Raises:
            OSError: there is none.
        """
        loop = asyncio.get_running_loop()
        if self.transport is Transport.SCTP:
            made = sctp.sctp_socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
            made.setblocking(False)
            try:
                await loop.sock_connect(made, (self.host, self.port))
            except BaseException:
                made.close()
                raise
            caller = S13Caller(self)
            MessageCarrier(made, caller, loop)
            return caller
        _, carrier = await loop.create_connection(
            lambda: _StreamCarrier(S13Caller(self)), self.host, self.port, ssl=self.tls
        )
        return carrier.caller

    def requests(self, realm: str) -> Iterator[bytearray]:
        """The requests in turn, for a server of this realm; encoded when the first server is known.

        No two unanswered ones share a session: there are as many as all windows hold, or more.
        """
        if self._requests is None:
            # Whole rounds, so that each question is asked as often as any other.
            rounds = -(-self.window * self.connections // len(self.questions)) or 1
            questions = itertools.chain.from_iterable(itertools.repeat(self.questions, rounds))
            self._requests = itertools.cycle(
                [
                    bytearray(
                        encode_check(self.node, asked(one, number, self.node, self.realm or realm), 0, 0)
                    )
                    for number, one in enumerate(questions)
                ]
            )
        return self._requests


class S13Caller(Caller):
    """One connection: capabilities exchange, then requests within a window."""

    def __init__(self, load: S13Load) -> None:
        super().__init__(load.window, load.clock)
        self._load = load
        self._node = load.node
        self._rest = b""
        self._sequence = 0
        self._word_of: dict[bytes, str] = {}
        self._carrier: _Carrier | None = None
        self._requests: Iterator[bytearray] = iter(())

    def begin(self, carrier: _Carrier) -> None:
        """Introduces us, now that there is a connection."""
        self._carrier = carrier
        carrier.send([codec.encode_cer(self._node, 0, 0)])

    def transmit(self, due: Sequence[float]) -> None:
        """Sends a request for each time."""
        assert self._carrier is not None
        out = []
        pending, requests = self.due, self._requests
        for when in due:
            request = next(requests)
            self._sequence = sequence = self._sequence + 1 & 0xFFFFFFFF
            _IDENTIFIERS.pack_into(request, 12, sequence, sequence)
            pending[sequence] = when
            out.append(bytes(request))
        self._carrier.send(out)

    def take_leave(self) -> None:
        """Asks the server to disconnect."""
        assert self._carrier is not None
        cause = DisconnectCause.DO_NOT_WANT_TO_TALK_TO_YOU
        self._carrier.send([codec.encode_dpr(self._node, cause, 0, 0)])

    def abort(self) -> None:
        """Drops the connection."""
        if self._carrier is not None:
            self._carrier.abort()

    def receive(self, data: bytes) -> None:
        """Takes octets as they came."""
        block = self._rest + data if self._rest else data
        at, end = 0, len(block)
        now = self.clock()
        while end - at >= codec.HEADER_SIZE:
            first, second, _, hop_by_hop, _ = _HEADER(block, at)
            follows = at + (first & 0xFFFFFF)
            if follows > end and first >> 24 == 1:
                break
            if second & 0xFFFFFF == Command.ME_IDENTITY_CHECK and 28 < follows - at <= end - at:
                # Behind the Session-Id, answers of one kind are the same octets.
                behind = at + 20 + (int.from_bytes(block[at + 25 : at + 28], "big") + 3 & -4)
                word = self._word_of.get(block[behind:follows])
                self.answer(
                    hop_by_hop, word or self._read(block[at + 20 : follows], block[behind:follows]), now
                )
            elif not self._other(block, at, follows):
                return
            at = follows
        self._rest = block[at:]
        self.taken(now)

    def _read(self, body: bytes, behind: bytes) -> str:
        try:
            answer = decode_answer(body)
        except RefusedError:
            return "unreadable"
        word = answer.status.value if answer.status else f"result {answer.result}"
        if len(self._word_of) < WORDS_KEPT:
            self._word_of[behind] = word
        return word

    def _other(self, block: bytes, at: int, follows: int) -> bool:
        """Heeds a message that is no answer; false: the connection is of no use any more."""
        assert self._carrier is not None
        try:
            header = codec.read_header(block, at, _MESSAGE_LIMIT)
            if header.command == Command.CAPABILITIES_EXCHANGE and not self.ready.done():
                self._accept(block[at + codec.HEADER_SIZE : follows])
            elif header.command == Command.DEVICE_WATCHDOG and header.is_request:
                self._carrier.send([codec.encode_dwa(self._node, header)])
            elif header.command == Command.DISCONNECT_PEER:
                if header.is_request:
                    self._carrier.send([codec.encode_dpa(self._node, header)])
                self._carrier.close()
        except (FramingError, RefusedError):
            self._carrier.abort()
            return False
        return True

    def _accept(self, body: bytes) -> None:
        told = codec.decode_capabilities(body)
        if told.result == Result.SUCCESS:
            self._requests = self._load.requests(told.realm)
            self.ready.set_result(None)
        else:
            self.ready.set_exception(
                PeerRefusedError(
                    f"The server refused the connection with result {told.result}.",
                    "Make the origin host a peer there, or name one that is.",
                )
            )

    def ended(self) -> None:
        """To be called when the connection is gone."""
        self.lost(_closed_early())


def _closed_early() -> CeirError:
    return PeerRefusedError(
        "The server closed the connection before the capabilities exchange was over.",
        "Is it Diameter that is served there, and is the origin host a peer?",
    )


class _StreamCarrier(asyncio.Protocol):
    """TCP or TLS."""

    def __init__(self, caller: S13Caller) -> None:
        self.caller = caller
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: a transport of uvloop is of no class of asyncio's.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH)
        self.caller.begin(self)

    def data_received(self, data: bytes) -> None:
        self.caller.receive(data)

    def pause_writing(self) -> None:
        self.caller.pause_writing()

    def resume_writing(self) -> None:
        self.caller.resume_writing()

    def send(self, messages: Sequence[bytes]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(messages))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        self.caller.ended()


class MessageCarrier:
    """SCTP, or any other socket that keeps messages apart: one Diameter message each.

    Source: RFC 6733 clause 2.1.
    """

    def __init__(self, made: socket.socket, caller: S13Caller, loop: asyncio.AbstractEventLoop) -> None:
        self._socket = made
        self._caller = caller
        self._loop = loop
        self._waiting: deque[bytes] = deque()
        self._octets = 0
        self._open = True
        self._closing = False
        self._paused = False
        loop.add_reader(made, self._readable)
        caller.begin(self)

    def send(self, messages: Sequence[bytes]) -> None:
        """Sends them; what the kernel does not take waits."""
        if not self._open:
            return
        idle = not self._waiting
        self._waiting.extend(messages)
        self._octets += sum(map(len, messages))
        if idle:
            self._flush()
        if self._octets > _HIGH:
            self._paused = True
            self._caller.pause_writing()

    def close(self) -> None:
        """Closes once everything is sent."""
        self._closing = True
        if not self._waiting:
            self.abort()

    def abort(self) -> None:
        """Closes at once."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._caller.ended()

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.abort()
            return
        if data:
            # A message longer than a read comes in pieces; they are put together as those of a stream are.
            self._caller.receive(data)
        else:
            self.abort()

    def _flush(self) -> None:
        while self._waiting:
            try:
                self._socket.send(self._waiting[0])
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._socket, self._flush)
                break
            except OSError:
                self.abort()
                return
            self._octets -= len(self._waiting.popleft())
        if self._waiting:
            return
        self._loop.remove_writer(self._socket)
        if self._closing:
            self.abort()
        elif self._paused:
            self._paused = False
            self._caller.resume_writing()
