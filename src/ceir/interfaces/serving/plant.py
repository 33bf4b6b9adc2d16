"""The equipment check at work: workers that answer from the newest snapshot, and what looks after them."""

import asyncio
import contextlib
import gc
import logging
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Reason
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.keys import load_trusted_keys
from ceir.equipment_check.own_copies import OwnCopies
from ceir.equipment_check.shelf import Arrival, SnapshotShelf
from ceir.equipment_check.sightings import (
    Keeping,
    Observe,
    Spool,
    SpoolLimits,
    Subscriber,
    subscriber_key,
    told_in_turn,
)
from ceir.interfaces.declaration import Address, ConfigurationError, Desk, all_interfaces
from ceir.interfaces.serving.administration import Administration
from ceir.interfaces.serving.configuration import Configuration, Serving, SightingsAt
from ceir.interfaces.serving.http import HttpLimits, Listen, ListenError, serve_rsgi
from ceir.interfaces.serving.logs import log_as_json
from ceir.interfaces.serving.metrics import MetricsBoard
from ceir.interfaces.serving.silence import listens_on
from ceir.interfaces.serving.workers import run_workers

_log = logging.getLogger(__name__)

_BETWEEN_LOOKS = 0.02
_SWITCH_SECONDS = 0.0005
_GARBAGE = (5_000, 10, 10)
"""Thresholds of the collector of cycles: requests leave none, and to look for them every 700 objects took
a tenth of the processor. Connections that fail leave some; looked for too seldom, they take megabytes."""
_OWN = "snapshots"
"""Beside the file of the metrics: copies of snapshots that nobody else writes into."""

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


def answers_first() -> None:
    """Set the interpreter of a worker, once everything is loaded, so that little comes before an answer.

    Threads that verify, apply deltas or write sightings give way ten times as often, and the collector of
    cycles never again looks at what was loaded so far.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


@dataclass(frozen=True)
class Plant:
    """Everything a worker process needs; goes to it as it is.

    Args:
        board: file of the metrics.
        started_at: seconds since 1970.
    """

    configuration: Configuration
    board: Path
    started_at: int

    async def __call__(self, number: int, stop: asyncio.Event) -> None:
        """Answer on all interfaces until the event is set; one that fails ends the others."""
        log_as_json()
        serving, names = self.configuration.serving, list(self.configuration.interfaces)
        board = MetricsBoard(self.board, serving.workers, names)
        shelf, holder = _opened(serving, OwnCopies(self.board.with_name(_OWN)))
        every = all_interfaces()
        spool = _spool(serving, number, board)
        tasks = [
            asyncio.ensure_future(self._watch(shelf, holder, board, number, stop)),
            asyncio.ensure_future(self._say_ready(board, number)),
        ]
        for name, section in self.configuration.interfaces.items():
            desk = Desk(
                checker=holder,
                observe=_observer(board, spool, number, name),
                refused=board.refused(number, name),
                workers=serving.workers,
                number=number,
                started_at=self.started_at,
            )
            tasks.append(asyncio.ensure_future(every[name].serve(section, desk, stop)))
        answers_first()
        async with spool or contextlib.nullcontext():
            try:
                finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                for task in finished:
                    task.result()
            finally:
                stop.set()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _say_ready(self, board: MetricsBoard, number: int) -> None:
        """Ready is a worker that listens everywhere; it has a snapshot since before."""
        ports = {address.port for _, address in self.configuration.addresses}
        while not listens_on(ports):
            await asyncio.sleep(_BETWEEN_LOOKS)
        board.ready(number)

    async def _watch(
        self,
        shelf: SnapshotShelf,
        holder: SnapshotHolder,
        board: MetricsBoard,
        number: int,
        stop: asyncio.Event,
    ) -> None:
        """Put in force what arrives; tell when the lists have become too old."""
        stale = False
        while not stop.is_set():
            now = _now()
            # In a thread: a large file is read from end to end, and answers must not wait for that.
            arrivals = await asyncio.to_thread(shelf.look, holder, now)
            _tell(arrivals, number)
            for arrival in arrivals:
                if arrival.what == "refused":
                    board.snapshot_refused(number)
            _note(board, number, holder)
            if holder.watch_age(now) != stale:
                stale = not stale
                log = _log.error if stale else _log.info
                log(
                    "snapshot_expired" if stale else "snapshot_in_time_again",
                    extra={"worker": number, "sequence": holder.sequence, "expires": str(holder.expires_at)},
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.configuration.serving.look_seconds)


def run_plant(configuration: Configuration, ready: Callable[[], None] = lambda: None) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        ready: called once everything that can be found wrong before serving was found right.

    Raises:
        SnapshotRefusedError: no snapshot to begin with.
        ConfigurationError, KeyRefusedError: files that cannot be used, addresses that are taken.
    """
    log_as_json()
    examine(configuration)
    serving = configuration.serving
    names = list(configuration.interfaces)
    with tempfile.TemporaryDirectory(prefix="ceir-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        plant = Plant(configuration, Path(folder) / "board", int(time.time()))
        board = MetricsBoard(plant.board, serving.workers, names)
        ready()

        async def beside(stop: asyncio.Event) -> None:
            administration = Administration(
                lambda: _not_ready(board, serving.workers), lambda: board.metrics(time.time())
            )
            at = serving.administration
            work: list[Awaitable[None]] = [
                serve_rsgi(administration, Listen(at.host, at.port), HttpLimits(connections=64), stop)
            ]
            every = all_interfaces()
            for name, section in configuration.interfaces.items():
                also = every[name].beside
                if also is not None:
                    work.append(also(section, stop))
            await asyncio.gather(*work)

        run_workers(serving.workers, plant, beside)


def examine(configuration: Configuration) -> None:
    """Find out before serving what would otherwise end every worker again and again.

    Raises:
        SnapshotRefusedError, ConfigurationError, KeyRefusedError: as `run_plant`.
    """
    every = all_interfaces()
    for name, section in configuration.interfaces.items():
        every[name].examine(section)
    at = configuration.serving.administration
    own = [("administration", Address(at.host, at.port, "tcp"))]
    for name, address in (*configuration.addresses, *own):
        _is_free(name, address)
    _keeping(configuration.serving.sightings)
    shelf = _shelf(configuration.serving)
    snapshot, arrivals = shelf.newest(_now())
    _tell([a for a in arrivals if a.what == "refused"], None)
    if snapshot.header.override:
        _log.warning("override_in_force", extra={"answer": snapshot.header.override})


def _is_free(name: str, address: Address) -> None:
    kind = 132 if address.transport == "sctp" else 0
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM, kind) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((address.host, address.port))
    except OSError as error:
        raise ListenError(
            f"{name} cannot listen on {address}: {error.strerror}.",
            "Choose another address; ports below 1024 need a right, SCTP a kernel that has it.",
        ) from error


def _observer(board: MetricsBoard, spool: Spool | None, number: int, name: str) -> Observe:
    counted = board.observer(number, name)
    return counted if spool is None else told_in_turn(counted, spool.observer(name))


def _spool(serving: Serving, number: int, board: MetricsBoard) -> Spool | None:
    asked = serving.sightings
    if asked.folder is None:
        return None
    limits = SpoolLimits(total_bytes=asked.total_megabytes << 20)
    return Spool(
        asked.folder,
        number,
        limits,
        _keeping(asked),
        clock=time.time,
        monotonic=time.monotonic,
        counted=board.sightings(number),
    )


def _keeping(asked: SightingsAt) -> Keeping:
    return Keeping(
        sample_every=asked.sample_every,
        subscriber=Subscriber(asked.subscriber),
        key=subscriber_key(asked.key_file) if asked.key_file else b"",
        fold_seconds=asked.fold_seconds,
    )


def _opened(serving: Serving, own: OwnCopies) -> tuple[SnapshotShelf, SnapshotHolder]:
    shelf = _shelf(serving, own)
    instead = None
    if serving.when_stale != "serve":
        instead = Answer(EquipmentStatus(serving.when_stale), Reason.OVERRIDE)
    holder, arrivals = shelf.holder(_now(), instead)
    _tell(arrivals, None)
    return shelf, holder


def _shelf(serving: Serving, own: OwnCopies | None = None) -> SnapshotShelf:
    if serving.snapshots is None or serving.trusted_keys is None:
        raise ConfigurationError(
            "Where snapshots and trusted keys lie was not said.",
            "Give --snapshots PATH and --trust PATH, or write both into the configuration.",
        )
    keys = load_trusted_keys(serving.trusted_keys)
    return SnapshotShelf(serving.snapshots, keys, serving.operator, own)


def _tell(arrivals: Sequence[Arrival], worker: int | None) -> None:
    for arrival in arrivals:
        log = _log.info if arrival.what == "in_force" else _log.error
        log(
            f"snapshot_{arrival.what}",
            extra={
                "worker": worker,
                "file": arrival.file,
                "sequence": arrival.sequence,
                "reason": arrival.reason,
            },
        )


def _note(board: MetricsBoard, number: int, holder: SnapshotHolder) -> None:
    """The lists in force were made at the end of their day."""
    now = _now()
    made = int((now - holder.age(now)).timestamp())
    board.snapshot_in_force(number, holder.sequence, made, int(holder.expires_at.timestamp()))


def _not_ready(board: MetricsBoard, workers: int) -> str | None:
    waiting = [number for number in range(workers) if not board.is_ready(number)]
    return f"{len(waiting)} of {workers} workers do not listen yet" if waiting else None


def _now() -> datetime:
    return datetime.now(UTC)
