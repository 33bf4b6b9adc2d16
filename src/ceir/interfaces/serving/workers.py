"""Several processes doing the same work on the same ports, and one that looks after them."""

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

Work = Callable[[int, asyncio.Event], Awaitable[None]]
"""Serves until the event is set; told the number of its worker. Must be picklable: processes start afresh."""

Beside = Callable[[asyncio.Event], Awaitable[None]]
"""What the looking-after process does itself, for instance the health and metrics endpoint."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Care:
    """How workers are looked after.

    Args:
        first_pause: seconds before a worker that ended is started again; doubles while it keeps ending.
        longest_pause: bound of the doubling.
        settled_after: a worker that lived so many seconds starts again after the first pause.
        grace: seconds that workers have to finish when all is to stop.
    """

    first_pause: float = 0.2
    longest_pause: float = 30
    settled_after: float = 60
    grace: float = 15


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed (it is not made for every platform), else asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 - may be absent
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run_workers(count: int, work: Work, beside: Beside | None = None, care: Care | None = None) -> None:
    """Runs `work` in so many processes until SIGTERM or SIGINT; starts again those that end.

    A worker's end touches only its own connections. When the looking-after process dies, however it dies,
    its workers finish and end too.

    Args:
        count: of processes, 1 or more.
        work: what each does.
        beside: what this process does meanwhile; None: nothing.
        care: pauses and grace.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_look_after(count, work, beside, care or Care()))


async def _look_after(count: int, work: Work, beside: Beside | None, care: Care) -> None:
    stop = asyncio.Event()
    _set_on_signals(stop, signal.SIGTERM, signal.SIGINT)
    context = multiprocessing.get_context("spawn")
    life, workers_end = context.Pipe(duplex=False)
    tasks = [
        asyncio.ensure_future(_keep_alive(context, number, work, life, stop, care)) for number in range(count)
    ]
    if beside is not None:
        tasks.append(asyncio.ensure_future(beside(stop)))
    try:
        finished, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in finished:
            task.result()
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        workers_end.close()


async def _keep_alive(
    context: multiprocessing.context.SpawnContext,
    number: int,
    work: Work,
    life: Connection,
    stop: asyncio.Event,
    care: Care,
) -> None:
    loop = asyncio.get_running_loop()
    pause = care.first_pause
    while not stop.is_set():
        process = context.Process(target=_worker, args=(number, work, life), name=f"ceir-worker-{number}")
        process.start()
        started = loop.time()
        ended = await _ended_or_stopped(process, stop)
        if not ended:
            await _finish(process, care.grace)
            return
        if stop.is_set():
            return
        if loop.time() - started >= care.settled_after:
            pause = care.first_pause
        _log.error("worker_ended", extra={"worker": number, "exit_code": process.exitcode, "pause": pause})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(care.longest_pause, pause * 2)


async def _ended_or_stopped(process: BaseProcess, stop: asyncio.Event) -> bool:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    waits = [asyncio.ensure_future(ended.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(process.sentinel)
        for wait in waits:
            wait.cancel()
    if ended.is_set():
        process.join()
    return ended.is_set()


async def _finish(process: BaseProcess, grace: float) -> None:
    process.terminate()
    if not await _ended_within(process, grace):
        _log.error("worker_killed", extra={"worker": process.name})
        process.kill()
        process.join()


async def _ended_within(process: BaseProcess, seconds: float) -> bool:
    never = asyncio.Event()
    try:
        return await asyncio.wait_for(_ended_or_stopped(process, never), seconds)
    except TimeoutError:
        return False


def _worker(number: int, work: Work, life: Connection) -> None:
    # A terminal sends SIGINT to the whole group: only the process that looks after the others heeds it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_until_told(number, work, life))


async def _until_told(number: int, work: Work, life: Connection) -> None:
    stop = asyncio.Event()
    _set_on_signals(stop, signal.SIGTERM)
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        loop.remove_reader(life.fileno())
        stop.set()

    # Nothing is ever written to this pipe: it becomes readable when its other end is gone.
    loop.add_reader(life.fileno(), orphaned)
    await work(number, stop)


def _set_on_signals(event: asyncio.Event, *numbers: signal.Signals) -> None:
    if sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, event.set)
