"""A GSUP server that answers Check-IMEI with yes or no."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ceir.equipment_check import Answer, Checker, EquipmentStatus, Question, Values
from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.codec import GsupError, IpaError

Observe = Callable[[Answer, float, Values], None]

_IDENTITY_TAGS = (0x08, 0x07, 0x02, 0x03, 0x04, 0x05, 0x01, 0x00)


@dataclass(frozen=True)
class Options:
    """How Check-IMEI is answered and what one peer may cost.

    Args:
        port: 0: any free one.
        accept_unknown: the answer for equipment of which nothing is known.
        max_message: octets of one IPA frame.
        max_waiting: octets not taken by a peer at which it is dropped.
        idle_timeout: seconds of silence after which a peer is pinged, and after as many more dropped.
    """

    host: str = "127.0.0.1"
    port: int = codec.PORT
    shared: bool = False
    accept_unknown: bool = True
    max_connections: int = 64
    max_message: int = 2048
    max_waiting: int = 1_048_576
    idle_timeout: float = 60.0


@dataclass
class Counters:
    """What happened since the start; all only grow."""

    acknowledged: int = 0
    refused: int = 0
    errors: int = 0
    ignored: int = 0
    failures: int = 0


class GsupServer:
    """Serves Check-IMEI until asked to stop; tracked equipment is acknowledged.

    Args:
        checker: answers the questions.
        observe: told of every answer.
        refused: told the cause of every refusal that is no status.
    """

    def __init__(
        self,
        checker: Checker,
        options: Options | None = None,
        *,
        observe: Observe | None = None,
        refused: Callable[[int], None] | None = None,
    ) -> None:
        self._refused = refused or (lambda _cause: None)
        self._checker = checker
        self._options = options or Options()
        self._observe = observe
        self._peers: set[_Peer] = set()
        self.counters = Counters()
        self.port = 0
        self.ready = asyncio.Event()
        """Set when the port is open."""

    @property
    def connections(self) -> int:
        """Peers connected now."""
        return len(self._peers)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set.

        Raises:
            OSError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        options = self._options
        server = await loop.create_server(
            lambda: _Peer(self, loop), options.host, options.port, reuse_port=options.shared or None
        )
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        try:
            await stop.wait()
        finally:
            server.close()
            for peer in list(self._peers):
                peer.close()
            await server.wait_closed()

    def admit(self, peer: "_Peer") -> bool:
        """Whether a new peer may stay."""
        if len(self._peers) >= self._options.max_connections:
            return False
        self._peers.add(peer)
        return True

    def leave(self, peer: "_Peer") -> None:
        """A peer is gone."""
        self._peers.discard(peer)

    @property
    def options(self) -> Options:
        """As given."""
        return self._options

    def answered(self, payload: bytes, begun: float, clock: Callable[[], float]) -> bytes | None:
        """The frame that answers a GSUP message; None: it is none that is answered."""
        try:
            asked = codec.request(payload)
        except GsupError as error:
            reply = codec.refusal(payload, error)
            if reply is None:
                self.counters.ignored += 1
            else:
                self.counters.errors += 1
                self._refused(error.cause)
            return reply
        question = Question(asked.imei, asked.software_version, asked.imsi)
        try:
            answer = self._checker.verdict(*question)
        except Exception:  # noqa: BLE001 - a checker that breaks its promise must not end the worker
            self.counters.failures += 1
            self._refused(codec.NETWORK_FAILURE)
            imsi = dict(asked.echo)[codec.IMSI_IE]
            return codec.refusal(payload, GsupError("no verdict", codec.NETWORK_FAILURE, imsi))
        if self._observe is not None:
            self._observe(answer, clock() - begun, question)
        status = answer.status
        refused = status is EquipmentStatus.BLOCKED or (
            status is EquipmentStatus.UNKNOWN and not self._options.accept_unknown
        )
        if refused:
            self.counters.refused += 1
        else:
            self.counters.acknowledged += 1
        return codec.answer(asked, codec.NACK if refused else codec.ACK)


class _Peer(asyncio.Protocol):
    def __init__(self, server: GsupServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._pinged = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by what they do, not by their class
        made = cast("asyncio.Transport", transport)
        self._transport = made
        if not self._server.admit(self):
            made.abort()
            return
        made.set_write_buffer_limits(high=self._server.options.max_waiting // 4)
        # Whoever connects is asked for its name, as OsmoHLR does; what it says is not needed for anything.
        asked = b"".join(bytes((1, tag)) for tag in _IDENTITY_TAGS)
        made.write(codec.frame(codec.PROTOCOL_CCM, bytes((codec.IDENTITY_REQUEST,)) + asked))
        self._heard = self._loop.time()
        self._watch()

    def connection_lost(self, _reason: Exception | None) -> None:
        self._server.leave(self)
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._heard = begun = self._loop.time()
        self._pinged = False
        options = self._server.options
        try:
            found, rest = codec.frames(self._buffer + data, options.max_message)
        except IpaError:
            self.close()
            return
        self._buffer = (self._buffer + data)[rest:]
        replies = []
        for protocol, payload in found:
            if protocol == codec.PROTOCOL_OSMO and payload[:1] == bytes((codec.EXTENSION_GSUP,)):
                reply = self._server.answered(payload[1:], begun, self._loop.time)
            else:
                reply = _managed(protocol, payload)
            if reply is not None:
                replies.append(reply)
        if replies:
            transport.write(b"".join(replies))
            if transport.get_write_buffer_size() > options.max_waiting:
                transport.abort()

    def close(self) -> None:
        """Close, what waits is still sent."""
        if self._transport is not None:
            self._transport.close()

    def _watch(self) -> None:
        idle = self._server.options.idle_timeout
        if self._transport is None or self._transport.is_closing():
            return
        silent = self._loop.time() - self._heard
        if silent >= 2 * idle:
            self._transport.abort()
            return
        if silent >= idle and not self._pinged:
            self._pinged = True
            self._transport.write(codec.frame(codec.PROTOCOL_CCM, bytes((codec.PING,))))
        self._timer = self._loop.call_later(idle / 4, self._watch)


def _managed(protocol: int, payload: bytes) -> bytes | None:
    """IPA's own messages: a ping is answered, an identity acknowledged, all else passed over."""
    if protocol != codec.PROTOCOL_CCM or not payload:
        return None
    if payload[0] == codec.PING:
        return codec.frame(codec.PROTOCOL_CCM, bytes((codec.PONG,)))
    if payload[0] == codec.IDENTITY_RESPONSE:
        return codec.frame(codec.PROTOCOL_CCM, bytes((codec.IDENTITY_ACK,)))
    return None
