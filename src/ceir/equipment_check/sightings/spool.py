"""The spool: from an answer to a line in a file, without the answer waiting for it."""

import asyncio
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from ceir.equipment_check.checker import Values
from ceir.equipment_check.sightings.keeping import INTERFACE, Keeping, SightingsError, SpoolLimits
from ceir.equipment_check.sightings.line import Wording
from ceir.equipment_check.sightings.segments import SegmentWriter
from ceir.equipment_check.status import Answer, EquipmentStatus, Reason

Observe = Callable[[Answer, float, Values], None]
"""Told every answer with its seconds and its question."""

_BATCH = 128
"""Sightings made into lines at a time, then written: between two batches the interpreter goes to whoever
wants it, so that an answer waits for a batch at most."""

_log = logging.getLogger(__name__)


_Waiting = tuple[float, str, Answer, Values]
"""Moment and what is to be told of it; a bare tuple, because it is made while an answer waits."""


class _Line(NamedTuple):
    octets: bytes
    stands_for: int


class _Repeated:
    __slots__ = ("at", "count", "since")

    def __init__(self, at: float) -> None:
        self.since = self.at = at
        self.count = 0


class _Folding:
    """Repeats of what was written a short time ago, in the order of their first; bounded."""

    def __init__(self, seconds: float, entries: int, wording: Wording) -> None:
        self._seconds = seconds
        self._entries = entries
        self._moment = wording.moment
        self._known: OrderedDict[str, _Repeated] = OrderedDict()

    def is_repeat(self, at: float, rest: str) -> bool:
        known = self._known.get(rest)
        if known is None or not 0 <= at - known.since < self._seconds:
            return False
        known.at = at
        known.count += 1
        return True

    def remember(self, at: float, rest: str) -> Iterator[_Line]:
        """Remember a sighting that is being written; gives the lines of those that make room for it."""
        if rest in self._known:
            yield from self._out(rest)
        while len(self._known) >= self._entries:
            yield from self._out(next(iter(self._known)))
        self._known[rest] = _Repeated(at)

    def over(self, now: float | None) -> Iterator[_Line]:
        """Lines of those whose time is over at `now`; None: of all."""
        while self._known:
            rest, known = next(iter(self._known.items()))
            if now is not None and 0 <= now - known.since < self._seconds:
                return
            yield from self._out(rest)

    def _out(self, rest: str) -> Iterator[_Line]:
        known = self._known.pop(rest)
        if known.count:
            yield _line(self._moment(known.at), rest, known.count)


class Spool:
    """Keeps sightings in files of a folder; an answer costs it a test and, when kept, one append.

    What cannot be written waits in memory, bounded; what comes while that is full is dropped and counted.
    So the oldest are kept: neither a full folder nor a full disk makes room by deleting, because a file of
    sightings may be evidence and only who has shipped it may delete it. No failure ends the spool or reaches
    a server; writing is tried again for as long as it lives.

    Use as an asynchronous context manager around the servers whose answers it keeps, or call `start` and
    `close`. Observers may be made and called before, but nothing is written.

    Args:
        folder: where; the same for all workers of a service, and of one service only. Made where absent.
        worker: number of this process.
        limits: room.
        keeping: what is kept.
        clock: seconds since 1970, UTC; asked once for each kept sighting.
        monotonic: seconds that only go forward.
        counted: told how many more sightings were written and dropped, from the writing thread, at most
            every `write_seconds`; see `MetricsBoard.sightings`.
    """

    def __init__(
        self,
        folder: Path,
        worker: int,
        limits: SpoolLimits,
        keeping: Keeping,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        counted: Callable[[int, int], None] | None = None,
    ) -> None:
        self._limits = limits
        self._keeping = keeping
        self._clock = clock
        self._monotonic = monotonic
        self._counted = counted
        self._worker = worker
        self._wording = Wording(keeping)
        self._folding = _Folding(keeping.fold_seconds, keeping.fold_entries, self._wording)
        self._segments = SegmentWriter(folder, worker, limits, clock, monotonic)
        self._waiting: deque[_Waiting] = deque()
        self._lines: list[_Line] = []
        self._full: list[list[int]] = []
        self._written = self._lost = 0
        self._told = (0, 0)
        self._trouble: str | None = None
        self._again_at = 0.0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def written(self) -> int:
        """Sightings that are in a file."""
        return self._written

    @property
    def dropped(self) -> int:
        """Sightings that could not be kept."""
        return self._lost + sum(one[0] for one in self._full)

    def observer(self, interface: str) -> Observe:
        """What a server calls after each answer.

        Why a closure over plain names: the answers that are not kept pay for every attribute that is looked
        up here.

        Args:
            interface: 1 to 16 of `a-z 0-9 -`.

        Raises:
            SightingsError: another name.
        """
        if not INTERFACE.fullmatch(interface):
            raise SightingsError(
                f"An interface cannot be called {interface!r} in a sighting.", "Use letters, digits and -."
            )
        waiting, most, clock = self._waiting, self._limits.waiting, self._clock
        append = waiting.append
        blocked, tracked, paired = EquipmentStatus.BLOCKED, EquipmentStatus.TRACKED, Reason.PAIRED
        every = left = self._keeping.sample_every
        full = [0]
        self._full.append(full)

        def observe(answer: Answer, seconds: float, question: Values) -> None:  # noqa: ARG001
            nonlocal left
            status = answer.status
            if status is not blocked and status is not tracked and answer.reason is not paired:
                if not every:
                    return
                left -= 1
                if left:
                    return
                left = every
            if len(waiting) < most:
                append((clock(), interface, answer, question))
            else:
                full[0] += 1

        return observe

    def start(self) -> None:
        """Begin to write, in a thread of its own."""
        # A daemon: a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._write_until_closed, name="sightings", daemon=True)
        self._thread.start()

    def close(self, seconds: float = 5) -> bool:
        """Write what waits and close the segment; what cannot be written is dropped and counted.

        Args:
            seconds: how long to wait for that.

        Returns:
            Whether it was done in time. Else the open segment is recovered when a worker next starts.
        """
        self._closing.set()
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    async def __aenter__(self) -> "Spool":
        self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    # --- in the writing thread

    def _write_until_closed(self) -> None:
        self._guarded(self._turn)
        while not self._closing.wait(self._limits.write_seconds):
            self._guarded(self._turn)
        self._guarded(self._last_turn)
        self._tell()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            self._failed(type(error).__name__ if error.strerror is None else error.strerror)
        except Exception as error:  # noqa: BLE001 - whatever it is, the spool goes on
            self._failed(type(error).__name__)

    def _turn(self) -> None:
        if self._monotonic() >= self._again_at:
            self._segments.make_ready()
            while self._write_some(self._clock()) and not self._closing.is_set():
                self._tell()
            self._segments.close_if_old()
        self._tell()

    def _last_turn(self) -> None:
        try:
            # Bounded, because a server that is still asked must not keep this from ending.
            for _ in range(self._limits.waiting // _BATCH + 2):
                self._write_some(self._clock())
            while self._write_some(None):
                pass
            self._segments.close()
        finally:
            self._lost += len(self._waiting) + sum(line.stands_for for line in self._lines)
            self._lost += sum(line.stands_for for line in self._folding.over(None))
            self._waiting.clear()
            self._segments.release()

    def _write_some(self, now: float | None) -> bool:
        """Write what failed before, or the next batch; False: there was nothing.

        Args:
            now: repeats whose time is over are due; None: all repeats are, and nothing else.

        Raises:
            OSError: not everything could be written; the rest is kept.
        """
        if not self._lines:
            self._lines.extend(islice(self._folding.over(now), _BATCH))
        if not self._lines and now is not None:
            self._lines.extend(self._next_lines())
        if not self._lines:
            return now is not None and bool(self._waiting)
        try:
            for kept in self._segments.write([line.octets for line in self._lines]):
                self._written += sum(line.stands_for for line in self._lines[:kept])
                del self._lines[:kept]
        except OSError:
            self._again_at = self._monotonic() + self._limits.retry_seconds
            raise
        if self._trouble is not None:
            self._trouble = None
            _log.warning("sightings_kept_again", extra={"worker": self._worker, "dropped": self.dropped})
        return True

    def _next_lines(self) -> Iterator[_Line]:
        folds = self._keeping.fold_seconds > 0
        for _ in range(min(len(self._waiting), _BATCH)):
            at, interface, answer, question = self._waiting.popleft()
            try:
                rest = self._wording.rest(interface, answer, question)
                moment = self._wording.moment(at)
            except (ValueError, TypeError, OverflowError):  # numbers that no codec gives
                self._lost += 1
                continue
            if folds:
                if self._folding.is_repeat(at, rest):
                    continue
                yield from self._folding.remember(at, rest)
            yield _line(moment, rest, 1)

    def _failed(self, reason: str) -> None:
        self._again_at = self._monotonic() + self._limits.retry_seconds
        if reason != self._trouble:
            self._trouble = reason
            _log.error("sightings_not_kept", extra={"worker": self._worker, "reason": reason})

    def _tell(self) -> None:
        now = (self.written, self.dropped)
        if self._counted is not None and now != self._told:
            self._counted(now[0] - self._told[0], now[1] - self._told[1])
            self._told = now


def told_in_turn(first: Observe, second: Observe) -> Observe:
    """An observer that tells two, like the metrics and the spool."""

    def observe(answer: Answer, seconds: float, question: Values) -> None:
        first(answer, seconds, question)
        second(answer, seconds, question)

    return observe


def _line(moment: str, rest: str, count: int) -> _Line:
    return _Line(f"{moment},{rest},{count}\n".encode("ascii"), count)
