"""One connection of a load: requests out, answers counted."""

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from typing import ClassVar

from ceir.errors import CeirError
from ceir.interfaces.load.report import ConnectionReport
from ceir.interfaces.load.times import Times

Clock = Callable[[], float]
"""Seconds of a monotonic clock, finer than a millisecond: an event loop's own may not be."""

WORDS_KEPT = 4_096
"""Different answers that a connection remembers, so that one like an earlier one is not read again."""


class UnreachableError(CeirError):
    """No connection to the server."""

    code: ClassVar[str] = "load_unreachable"


class PeerRefusedError(CeirError):
    """The server was reached and does not serve us."""

    code: ClassVar[str] = "load_peer_refused"


class Caller(ABC):
    """What all interfaces' connections have in common.

    Args:
        window: requests that may be unanswered.
        clock: tells the time.

    Attributes:
        due: when each unanswered request was due, by the number it has on the wire.
        ready: set when requests may be sent; its exception says why not.
        gone: set when the connection is.
        on_answers: called whenever answers came or writing became possible again.
    """

    def __init__(self, window: int, clock: Clock) -> None:
        loop = asyncio.get_running_loop()
        self.window = window
        self.clock = clock
        self.due: dict[int, float] = {}
        self.sent = 0
        self.answers: Counter[str] = Counter()
        self.times = Times()
        self.last_answer = 0.0
        self.closed = False
        self.ready: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.on_answers: Callable[[], None] | None = None
        self._answered = 0
        self._leaving = False
        self._writable = True

    @abstractmethod
    def transmit(self, due: Sequence[float]) -> None:
        """Sends a request for each time that one was due, and notes them in `due`."""

    @abstractmethod
    def take_leave(self) -> None:
        """Ends the connection as the protocol asks."""

    @abstractmethod
    def abort(self) -> None:
        """Drops the connection."""

    @property
    def room(self) -> int:
        """How many more requests may be sent now."""
        if not self._writable or self.gone.done():
            return 0
        return self.window - len(self.due)

    def ask(self, due: Sequence[float]) -> None:
        """Sends a request for each time that one was due; no more than `room`."""
        self.sent += len(due)
        self.transmit(due)

    def answer(self, number: int, word: str, now: float) -> None:
        """Counts an answer; one that nobody asked for counts as an error, not as an answer."""
        when = self.due.pop(number, None)
        if when is None:
            self.answers["unasked"] += 1
            return
        self.times.add(now - when)
        self.answers[word] += 1
        self._answered += 1

    def taken(self, now: float) -> None:
        """To be called once for each read, after its answers were counted."""
        self.last_answer = now
        self.times.settle()
        if self.on_answers is not None:
            self.on_answers()

    def pause_writing(self) -> None:
        """Called by the event loop: the server takes nothing at present."""
        self._writable = False

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._writable = True
        if self.on_answers is not None:
            self.on_answers()

    def leave(self) -> None:
        """Takes leave of the server, if it is still there."""
        self._leaving = True
        if not self.gone.done():
            self.take_leave()

    def lost(self, refusal: CeirError) -> None:
        """To be called when the connection is gone.

        Args:
            refusal: what it means if that was before requests could be sent.
        """
        if not self.ready.done():
            self.ready.set_exception(refusal)
        if not self.gone.done():
            self.closed = not self._leaving
            self.gone.set_result(None)
        if self.on_answers is not None:
            self.on_answers()

    def report(self) -> ConnectionReport:
        """What came of it so far."""
        return ConnectionReport(self.sent, self._answered, self.closed, dict(self.answers))
