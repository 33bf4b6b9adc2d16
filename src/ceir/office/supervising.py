"""Starting the processes of an office, starting again those that end, and ending all in good order."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from ceir.interfaces.serving.administration import Administration
from ceir.interfaces.serving.http import HttpLimits, Listen, serve_rsgi
from ceir.interfaces.serving.workers import new_event_loop
from ceir.office.configuration import Office, Orders, keep_orders, metrics_folder, ready_file
from ceir.office.lineage import end_with_parent

_log = logging.getLogger("ceir.office")

CHECK = "check"
"""The equipment check's process."""

_COUNT_IN = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True)
class Care:
    """How processes are looked after, in seconds.

    Args:
        first_pause: before one that ended is started again; doubles while it keeps ending.
        longest_pause: bound of the doubling.
        settled_after: one that lived so long starts again after the first pause.
    """

    first_pause: float = 0.2
    longest_pause: float = 30
    settled_after: float = 60


@dataclass
class Child:
    """One process of the office, whichever incarnation."""

    name: str
    line: Sequence[str]
    told: str | None = None
    counts: bool = True
    ready: Path | None = None
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it lives, and has said that it is ready if it says so at all."""
        lives = self.process is not None and self.process.returncode is None
        return lives and (self.ready is None or self.ready.exists())


@dataclass
class Running:
    """An office at work."""

    children: list[Child] = field(default_factory=list)

    def why_not_ready(self) -> str | None:
        """Which processes are not up; None: all are."""
        down = [child.name for child in self.children if not child.is_up]
        return f"not up: {', '.join(down)}" if down else None

    def metrics(self) -> Iterable[Metric]:
        """Of the processes themselves."""
        up = GaugeMetricFamily("ceir_office_up", "1: the process lives and is ready.", labels=["process"])
        again = CounterMetricFamily(
            "ceir_office_restarts", "How often a process was started again.", labels=["process"]
        )
        for child in self.children:
            up.add_metric([child.name], float(child.is_up))
            again.add_metric([child.name], child.restarts)
        yield up
        yield again


def run_office(told: Orders, care: Care | None = None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ListenError: the port of health and metrics is taken.
    """
    with tempfile.TemporaryDirectory(prefix="ceir-office-") as folder:
        place = Path(folder)
        metrics_folder(place).mkdir()
        keep_orders(place, told)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_run(told, place, care or Care()))


def children_of(told: Orders, folder: Path) -> list[Child]:
    """The processes that orders ask for."""
    python = (sys.executable, "-m")

    def child(name: str, module: str, *more: str) -> Child:
        line = (*python, f"ceir.office.{module}", str(folder), name, *more)
        return Child(name, line, ready=ready_file(folder, name))

    found = [child("web", "web")]
    found += [child(f"jobs-{n}", "labour", "jobs") for n in range(told.office.job_workers)]
    found += [child(f"tasks-{n}", "labour", "tasks") for n in range(told.office.task_workers)]
    if told.check is not None:
        check = Child(CHECK, (*python, "ceir.interfaces.serving"), json.dumps(told.check), counts=False)
        found.append(check)
    return found


async def _run(told: Orders, folder: Path, care: Care) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    office, running = told.office, Running(children_of(told, folder))
    tasks: list[asyncio.Task[None]] = [
        asyncio.ensure_future(_keep(child, folder, stop, care, office.grace_seconds))
        for child in running.children
    ]
    tasks.append(asyncio.ensure_future(_administer(office, running, folder, stop)))
    tasks.append(asyncio.ensure_future(_say_ready(running, office, stop)))
    try:
        finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in finished:
            task.result()
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
    _log.info("office_ended")


async def _administer(office: Office, running: Running, folder: Path, stop: asyncio.Event) -> None:
    # Imported late: the library decides at its first import where it counts.
    from ceir.office.measuring import counted  # noqa: PLC0415

    def metrics() -> Iterable[Metric]:
        yield from running.metrics()
        yield from counted(str(metrics_folder(folder)))

    at = office.administration
    administration = Administration(running.why_not_ready, metrics)
    await serve_rsgi(administration, Listen(at.host, at.port), HttpLimits(connections=64), stop)


async def _say_ready(running: Running, office: Office, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if running.why_not_ready() is None:
            _log.info("office_ready", extra={"address": office.address})
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.05)


async def _keep(child: Child, folder: Path, stop: asyncio.Event, care: Care, grace: float) -> None:
    loop = asyncio.get_running_loop()
    pause = care.first_pause
    while not stop.is_set():
        process = await _start(child, folder)
        began = loop.time()
        stopping = asyncio.ensure_future(stop.wait())
        ending = asyncio.ensure_future(process.wait())
        await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await _finish(child, process, grace)
            return
        stopping.cancel()
        if child.ready is not None:
            child.ready.unlink(missing_ok=True)
        if stop.is_set():
            return
        if loop.time() - began >= care.settled_after:
            pause = care.first_pause
        _log.error(
            "process_ended",
            extra={"child": child.name, "exit_code": process.returncode, "pause": pause},
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(care.longest_pause, pause * 2)
        child.restarts += 1


async def _start(child: Child, folder: Path) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if name != _COUNT_IN}
    if child.counts:
        environment[_COUNT_IN] = str(metrics_folder(folder))
    with _standard_input(child.told) as read:
        child.process = await asyncio.create_subprocess_exec(
            *child.line, stdin=read, env=environment, preexec_fn=end_with_parent()
        )
    _log.info("process_started", extra={"child": child.name, "child_id": child.process.pid})
    return child.process


@contextlib.contextmanager
def _standard_input(told: str | None) -> Any:
    """What a process reads: never in its arguments, which everybody on the machine sees."""
    if told is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(told.encode())
        file.seek(0)
        yield file


async def _finish(child: Child, process: asyncio.subprocess.Process, grace: float) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        _log.error("process_killed", extra={"child": child.name})
        process.kill()
        await process.wait()
