"""A client that loads an S13 server: rate, mix, percentiles."""

import asyncio
import itertools
import ssl
import struct
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, cast

from ceir.errors import CeirError
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.avp import RefusedError
from ceir.interfaces.s13.codec import FramingError, Node
from ceir.interfaces.s13.dictionary import Command, DisconnectCause, Result

_IDENTIFIERS = struct.Struct(">II")
_HEADER = struct.Struct(">IIIII").unpack_from
_OUTCOMES_KEPT: Final = 4_096
_MESSAGE_LIMIT: Final = 1 << 20


class LoadError(CeirError):
    """The load could not be put on."""

    code: ClassVar[str] = "s13_load"


@dataclass(frozen=True, slots=True)
class Load:
    """What to put on a server.

    Args:
        mix: requests to send in turn, at least one; session and identifiers are replaced.
        seconds: how long requests are sent.
        rate: requests a second over all connections; None: as many as the window lets through. With a rate,
            times count from when a request was due, so a server that stalls is not spared.
        window: requests a connection may have unanswered.
        connections: at a time.
        wait: seconds for the last answers.
    """

    mix: Sequence[Asked]
    seconds: float
    rate: float | None = None
    window: int = 256
    connections: int = 1
    wait: float = 5.0


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of it.

    Args:
        outcomes: answers by status ("permitted" and so on) or, refused, by "result 5001" and so on.
        percentiles: of the answers' times in seconds, by percentage; empty without answers.
    """

    sent: int
    answered: int
    seconds: float
    outcomes: Mapping[str, int]
    percentiles: Mapping[float, float]

    @property
    def lost(self) -> int:
        """Requests without an answer."""
        return self.sent - self.answered

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


class _Caller(asyncio.Protocol):
    """One connection: capabilities exchange, then requests within a window."""

    def __init__(
        self, node: Node, requests: list[bytearray], window: int, clock: Callable[[], float]
    ) -> None:
        self._node = node
        self._requests = itertools.cycle(requests)
        self._window = window
        self._clock = clock
        self._rest = b""
        self._due: dict[int, float] = {}
        self._sequence = 0
        self._transport: asyncio.Transport | None = None
        self._can_write = True
        self._outcome_of: dict[bytes, str] = {}
        self.sent = 0
        self.outcomes: Counter[str] = Counter()
        self.times = array("d")
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_answers: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by what they do, not by their class
        made = cast("asyncio.Transport", transport)
        self._transport = made
        made.write(codec.encode_cer(self._node, 0, 0))

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        if self.on_answers:
            self.on_answers()

    @property
    def room(self) -> int:
        """How many more requests may be sent."""
        return self._window - len(self._due) if self._can_write else 0

    @property
    def waiting(self) -> int:
        """Requests that were sent and not answered."""
        return len(self._due)

    def ask(self, due: Sequence[float]) -> None:
        """Sends a request for each time that one was due."""
        assert self._transport is not None
        if self._transport.is_closing():
            return
        out = []
        for when in due:
            request = next(self._requests)
            self._sequence = sequence = self._sequence + 1 & 0xFFFFFFFF
            _IDENTIFIERS.pack_into(request, 12, sequence, sequence)
            self._due[sequence] = when
            out.append(bytes(request))
        self.sent += len(out)
        self._transport.write(b"".join(out))

    def leave(self) -> None:
        """Disconnects as the protocol asks."""
        if self._transport is not None and not self._transport.is_closing():
            cause = DisconnectCause.DO_NOT_WANT_TO_TALK_TO_YOU
            self._transport.write(codec.encode_dpr(self._node, cause, 0, 0))

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        block = self._rest + data if self._rest else data
        at, end = 0, len(block)
        now = self._clock()
        due, times, outcomes = self._due, self.times, self.outcomes
        while end - at >= codec.HEADER_SIZE:
            first, second, _, hop_by_hop, _ = _HEADER(block, at)
            follows = at + (first & 0xFFFFFF)
            if follows > end:
                break
            if second & 0xFFFFFF == Command.ME_IDENTITY_CHECK and follows - at > 28:
                when = due.pop(hop_by_hop, None)
                if when is None:
                    outcomes["unasked"] += 1
                else:
                    times.append(now - when)
                    # Behind the Session-Id, answers of one kind are the same octets.
                    behind = at + 20 + (int.from_bytes(block[at + 25 : at + 28], "big") + 3 & -4)
                    outcome = self._outcome_of.get(block[behind:follows])
                    outcomes[outcome or self._read(block[at + 20 : follows], block[behind:follows])] += 1
            else:
                self._other(block, at, follows)
            at = follows
        self._rest = block[at:]
        if self.on_answers:
            self.on_answers()

    def _read(self, body: bytes, behind: bytes) -> str:
        try:
            answer = decode_answer(body)
        except RefusedError:
            return "unreadable"
        outcome = answer.status.value if answer.status else f"result {answer.result}"
        if len(self._outcome_of) < _OUTCOMES_KEPT:
            self._outcome_of[behind] = outcome
        return outcome

    def _other(self, block: bytes, at: int, follows: int) -> None:
        assert self._transport is not None
        try:
            header = codec.read_header(block, at, _MESSAGE_LIMIT)
            if header.command == Command.CAPABILITIES_EXCHANGE and not self.ready.done():
                told = codec.decode_capabilities(block[at + codec.HEADER_SIZE : follows])
                if told.result == Result.SUCCESS:
                    self.ready.set_result(None)
                else:
                    self.ready.set_exception(
                        LoadError(
                            f"The server refused the connection with {told.result}.", "Make us a peer there."
                        )
                    )
            elif header.command == Command.DEVICE_WATCHDOG and header.is_request:
                self._transport.write(codec.encode_dwa(self._node, header))
            elif header.command == Command.DISCONNECT_PEER:
                if header.is_request:
                    self._transport.write(codec.encode_dpa(self._node, header))
                self._transport.close()
        except (FramingError, RefusedError):
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        if not self.ready.done():
            self.ready.set_exception(
                LoadError("The server closed the connection before the capabilities exchange was over.")
            )
        if not self.gone.done():
            self.gone.set_result(None)


def _requests(node: Node, load: Load, connection: int) -> list[bytearray]:
    """As many requests as a window holds, so that no two unanswered ones share a session."""
    mix = itertools.cycle(load.mix)
    made = []
    for number in range(max(load.window, len(load.mix))):
        asked = next(mix)
        session = f"{node.host};{connection};{number};load"
        again = Asked(
            session,
            asked.imei,
            asked.software_version,
            asked.imsi,
            asked.destination_realm,
            asked.destination_host,
            asked.extra,
        )
        made.append(bytearray(encode_check(node, again, 0, 0)))
    return made


def _percentiles(times: "array[float]") -> dict[float, float]:
    if not times:
        return {}
    ordered = sorted(times)
    last = len(ordered) - 1
    return {
        percent: ordered[min(last, int(len(ordered) * percent / 100))] for percent in (50, 90, 99, 99.9, 100)
    }


async def put_load(
    node: Node, host: str, port: int, load: Load, tls: ssl.SSLContext | None = None
) -> LoadReport:
    """Connects, sends, and reports.

    Args:
        node: who we say we are; a peer of the server.

    Raises:
        LoadError: no connection, or the server refuses us.
    """
    if not load.mix:
        raise LoadError("There is nothing to ask.", "Name at least one IMEI.")
    loop = asyncio.get_running_loop()
    callers: list[_Caller] = []
    try:
        for number in range(load.connections):
            requests = _requests(node, load, number)
            _, caller = await loop.create_connection(
                lambda requests=requests: _Caller(node, requests, load.window, loop.time),
                host,
                port,
                ssl=tls,
            )
            callers.append(caller)
            await asyncio.wait_for(caller.ready, load.wait)
        began = loop.time()
        await (_flood(callers, load) if load.rate is None else _pace(callers, load, load.rate))
        deadline = loop.time() + load.wait
        while any(caller.waiting and not caller.gone.done() for caller in callers) and loop.time() < deadline:
            await asyncio.sleep(0.005)
        seconds = loop.time() - began
        for caller in callers:
            caller.leave()
        await asyncio.wait([caller.gone for caller in callers], timeout=1)
    except (OSError, TimeoutError) as error:
        raise LoadError(f"No connection to {host} port {port}: {error}.", "Is the server up?") from error
    finally:
        for caller in callers:
            caller.abort()
    outcomes: Counter[str] = Counter()
    times = array("d")
    for caller in callers:
        outcomes.update(caller.outcomes)
        times.extend(caller.times)
    return LoadReport(
        sum(caller.sent for caller in callers), len(times), seconds, outcomes, _percentiles(times)
    )


async def _flood(callers: Sequence[_Caller], load: Load) -> None:
    """Keeps every window full."""
    loop = asyncio.get_running_loop()
    until = loop.time() + load.seconds

    def refill(caller: _Caller) -> None:
        now = loop.time()
        # Whole batches: a window that is topped up one by one makes one system call for each request.
        if now < until and caller.room * 2 >= load.window:
            caller.ask([now] * caller.room)

    for caller in callers:
        caller.on_answers = lambda caller=caller: refill(caller)
        refill(caller)
    await asyncio.sleep(load.seconds)
    for caller in callers:
        caller.on_answers = None


async def _pace(callers: Sequence[_Caller], load: Load, rate: float) -> None:
    """Sends each request when it is due, or as soon after as its connection has room."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    total = int(rate * load.seconds)
    asked = 0
    while asked < total:
        now = loop.time()
        due = min(total, int((now - began) * rate) + 1)
        for caller in callers:
            share = min(caller.room, -(-(due - asked) // len(callers)), due - asked)
            if share > 0:
                caller.ask([began + number / rate for number in range(asked, asked + share)])
                asked += share
        if now - began > load.seconds + load.wait:
            return
        await asyncio.sleep(0.001)
