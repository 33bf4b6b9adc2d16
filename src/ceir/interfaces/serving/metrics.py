"""What worker processes count, and how Prometheus reads the sum."""

import mmap
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import ClassVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from ceir.equipment_check import Answer, EquipmentStatus, Reason, Values
from ceir.errors import CeirError

BOUNDS = (
    0.000002,
    0.000005,
    0.00001,
    0.00002,
    0.00005,
    0.0001,
    0.0002,
    0.0005,
    0.001,
    0.002,
    0.005,
    0.01,
    0.05,
    0.1,
)
"""Upper bounds of the latency buckets in seconds; a last one takes the rest."""

_STATUSES = tuple(EquipmentStatus)
_REASONS = tuple(Reason)
_ANSWERS = len(_STATUSES) * len(_REASONS)
_BUCKETS = len(BOUNDS) + 1
_REFUSALS = 6000
"""One cell for each code below that: what the protocol itself answers with (HTTP status, Diameter result, MAP
error, GSUP cause)."""

# A cell for each answer in each bucket, the seconds of all answers (as a float), a cell for each refusal.
_SECONDS = _ANSWERS * _BUCKETS
_CELLS = _SECONDS + 1 + _REFUSALS
_KNOWN_ANSWERS = 256
# After the interfaces of a worker: sightings written, sightings dropped, snapshot files refused; of the
# snapshot in force its sequence, when it expires and when it was made; whether the worker listens everywhere.
_OF_WORKER = 7
_REFUSED_FILES, _SEQUENCE, _EXPIRES, _MADE, _READY = 2, 3, 4, 5, 6


class MetricsBoardError(CeirError):
    """The file that worker processes count in does not fit."""

    code: ClassVar[str] = "metrics_board"


class MetricsBoard:
    """Counters of several processes in one mapped file: each adds in its own row, anyone reads all rows.

    Why not the multi-process mode of prometheus-client: a counter and a histogram there cost several
    microseconds an answer, as much as the answer; two additions in a mapped row cost a fraction of one.
    Rows outlive the worker that counts in them, so that counters do not fall when one is replaced.

    Args:
        path: of the file; made when absent. On a file system in memory, like /run, nothing is written.
        workers: how many processes count.
        interfaces: what they serve, like `n17`; same order in every process.

    Raises:
        MetricsBoardError: the file was made for other workers or interfaces.
    """

    def __init__(self, path: Path, workers: int, interfaces: Sequence[str]) -> None:
        self._interfaces = tuple(interfaces)
        self._workers = workers
        self._row = len(self._interfaces) * _CELLS + _OF_WORKER
        size = workers * self._row * 8
        with path.open("ab+") as file:
            if file.tell() == 0:
                file.truncate(size)
            elif file.tell() != size:
                raise MetricsBoardError(
                    f"The file holds {file.tell()} bytes, {size} were expected.",
                    "Delete it: it holds only counters since the last start.",
                )
            self._map = mmap.mmap(file.fileno(), size)
        self._cells = memoryview(self._map).cast("Q")
        self._floats = memoryview(self._map).cast("d")

    def close(self) -> None:
        """Gives the mapping back; observers made before must not be used any more."""
        self._cells.release()
        self._floats.release()
        self._map.close()

    def observer(self, worker: int, interface: str) -> Callable[[Answer, float, Values], None]:
        """What a server calls after each answer; see `ceir.interfaces.n17.application.Observe`."""
        cells, floats = self._cells, self._floats
        first = self._start(worker, interface)
        total = first + _SECONDS
        # By identity: checkers give the same few objects again and again, and hashing one costs more than
        # all the rest here. The object is kept, so its identity cannot pass to another.
        known: dict[int, tuple[Answer, int]] = {}

        def observe(answer: Answer, seconds: float, question: Values) -> None:  # noqa: ARG001
            found = known.get(id(answer))
            if found is None:
                place = _STATUSES.index(answer.status) * len(_REASONS) + _REASONS.index(answer.reason)
                cell = first + place * _BUCKETS
                if len(known) < _KNOWN_ANSWERS:
                    known[id(answer)] = (answer, cell)
            else:
                cell = found[1]
            cells[cell + bisect_left(BOUNDS, seconds)] += 1
            floats[total] += seconds

        return observe

    def refused(self, worker: int, interface: str) -> Callable[[int], None]:
        """What a server calls with the code of each refusal, 0 to 5999."""
        cells = self._cells
        codes = self._start(worker, interface) + _SECONDS + 1

        def refused(code: int) -> None:
            cells[codes + min(code, _REFUSALS - 1)] += 1

        return refused

    def ready(self, worker: int) -> None:
        """Notes that a worker listens everywhere."""
        self._cells[self._cell(worker, _READY)] = 1

    def is_ready(self, worker: int) -> bool:
        """Whether a worker ever listened everywhere; it stays so while it is replaced."""
        return bool(self._cells[self._cell(worker, _READY)])

    def snapshot_in_force(self, worker: int, sequence: int, made: int, expires: int) -> None:
        """Notes which snapshot a worker answers from.

        Args:
            made, expires: seconds since 1970, UTC.
        """
        self._cells[self._cell(worker, _SEQUENCE)] = sequence
        self._cells[self._cell(worker, _EXPIRES)] = expires
        self._cells[self._cell(worker, _MADE)] = made

    def snapshot_refused(self, worker: int) -> None:
        """Counts a file that a worker refused."""
        self._cells[self._cell(worker, _REFUSED_FILES)] += 1

    def sightings(self, worker: int) -> Callable[[int, int], None]:
        """What a spool calls with how many more sightings it wrote and dropped; see `Spool`."""
        cells, first = self._cells, self._cell(worker, 0)

        def counted(written: int, dropped: int) -> None:
            cells[first] += written
            cells[first + 1] += dropped

        return counted

    def metrics(self, now: float) -> Iterable[Metric]:
        """Everything counted, summed over workers; `now` as seconds since 1970, for the snapshot's age."""
        yield self._answers()
        yield self._refusals()
        yield self._latencies()
        yield from self._snapshots(now)
        yield self._of_workers(
            "ceir_snapshot_files_refused",
            "Arrived files that no worker may serve, counted by each.",
            _REFUSED_FILES,
        )
        yield self._of_workers(
            "ceir_sightings_written", "Sightings written to the spool, repeats folded or not.", 0
        )
        yield self._of_workers(
            "ceir_sightings_dropped",
            "Sightings lost because spool or memory was full, or the disk failed.",
            1,
        )

    def _start(self, worker: int, interface: str) -> int:
        return worker * self._row + self._interfaces.index(interface) * _CELLS

    def _sums(self, interface: str, first: int, count: int) -> list[int]:
        starts = [self._start(worker, interface) + first for worker in range(self._workers)]
        return [sum(self._cells[start + place] for start in starts) for place in range(count)]

    def _answers(self) -> Metric:
        family = CounterMetricFamily(
            "ceir_equipment_check_answers", "Statuses given.", labels=["interface", "status", "reason"]
        )
        for interface in self._interfaces:
            sums = self._sums(interface, 0, _SECONDS)
            for place in range(_ANSWERS):
                status, reason = divmod(place, len(_REASONS))
                if value := sum(sums[place * _BUCKETS : (place + 1) * _BUCKETS]):
                    words = [interface, _STATUSES[status].value, _REASONS[reason].value]
                    family.add_metric(words, value)
        return family

    def _refusals(self) -> Metric:
        family = CounterMetricFamily(
            "ceir_equipment_check_refusals", "Requests without a status.", labels=["interface", "code"]
        )
        for interface in self._interfaces:
            for code, value in enumerate(self._sums(interface, _SECONDS + 1, _REFUSALS)):
                if value:
                    family.add_metric([interface, str(code)], value)
        return family

    def _latencies(self) -> Metric:
        family = HistogramMetricFamily(
            "ceir_equipment_check_seconds", "From request to answer, in the server.", labels=["interface"]
        )
        for interface in self._interfaces:
            sums = self._sums(interface, 0, _SECONDS)
            counts = [sum(sums[bucket::_BUCKETS]) for bucket in range(_BUCKETS)]
            totals = (self._start(worker, interface) + _SECONDS for worker in range(self._workers))
            bounds = [*map(str, BOUNDS), "+Inf"]
            buckets = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            family.add_metric(
                [interface], buckets=buckets, sum_value=sum(self._floats[total] for total in totals)
            )
        return family

    def _of_workers(self, name: str, doc: str, place: int) -> Metric:
        cells = (self._cell(worker, place) for worker in range(self._workers))
        return CounterMetricFamily(name, doc, value=sum(self._cells[cell] for cell in cells))

    def _cell(self, worker: int, place: int) -> int:
        return (worker + 1) * self._row - _OF_WORKER + place

    def _snapshots(self, now: float) -> Iterable[Metric]:
        told = (
            ("ceir_snapshot_age_seconds", "Since the lists in use were made.", _MADE, -1),
            ("ceir_snapshot_left_seconds", "Until the lists in use expire; below 0: they have.", _EXPIRES, 1),
        )
        for name, doc, place, sign in told:
            family = GaugeMetricFamily(name, doc, labels=["worker"])
            for worker in self._with_snapshot():
                family.add_metric([str(worker)], sign * (self._cells[self._cell(worker, place)] - now))
            yield family
        family = GaugeMetricFamily("ceir_snapshot_sequence", "Of the lists in use.", labels=["worker"])
        for worker in self._with_snapshot():
            family.add_metric([str(worker)], self._cells[self._cell(worker, _SEQUENCE)])
        yield family

    def _with_snapshot(self) -> list[int]:
        return [worker for worker in range(self._workers) if self._cells[self._cell(worker, _MADE)]]
