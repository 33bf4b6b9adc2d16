"""Measures `ceir serve`: capacity, cost of an answer, times below capacity, changing lists, a killed worker.

Everything is asked over loopback from another core. The cost of an answer is the processor time of the worker
process, so it holds on a busy machine; rates and times do not.
"""

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import identities
from asking import H2load, Loaded, NativeN17, NativeS13, connecting, put
from identities import Population
from machine import SERVER_CORE, idle_seconds, load_average, processor_seconds
from plant import Plant, free_port, plant

from ceir.equipment_check import Question
from ceir.interfaces.load import Plan, put_load
from ceir.interfaces.serving.workers import new_event_loop

INTERFACES = ("s13", "map", "n17")
CONNECTIONS = 4
WINDOW = 64
SHARE_OF_CAPACITY = 0.7
CHANGES = 100_000
TARGETS = {"s13": 40_000, "map": 20_000}
ROUNDS = 3

Put = Callable[[int, Plan], Loaded]


def by_client(interface: str, questions: Sequence[Question]) -> Put:
    return lambda port, plan: put(interface, port, plan, questions)


class Cost(NamedTuple):
    """What the server took for a load.

    Args:
        microseconds: of processor time, an answer.
        core_share: of its core's time, by the server itself.
        idle_share: of its core's time, by nobody.

    The server is what limits a flood where its own share is near 1. What lacks is the client's limit where
    the core was idle, and says nothing where others had it.
    """

    microseconds: float
    core_share: float
    idle_share: float


class Bench:
    """What all measurements share.

    Args:
        folder: holds `first.snapshot`, sequence 1.
        seconds: of one load.
    """

    def __init__(self, folder: Path, questions: Sequence[Question], seconds: float) -> None:
        self.folder = folder
        self.questions = questions
        self.seconds = seconds
        self.native = NativeS13(folder, questions) if NativeS13.is_possible() else None
        self.native_n17 = NativeN17(folder, questions) if NativeN17.is_possible() else None
        self.h2load = H2load(folder, questions) if H2load.is_possible() else None

    @contextmanager
    def serving(self, *interfaces: str, workers: int = 1) -> Iterator[Plant]:
        """A server of a fresh folder with the first snapshot in it."""
        place = self.folder / f"plant-{time.monotonic_ns()}"
        (place / "snapshots").mkdir(parents=True)
        os.link(self.folder / "first.snapshot", place / "snapshots" / "1.snapshot")
        with plant(place, *interfaces, workers=workers) as running:
            yield running

    def snapshots(self, running: Plant) -> Path:
        return running.told.parent / "snapshots"

    def client(self, interface: str) -> tuple[str, Put]:
        """The fastest client there is, which the server is measured against."""
        if interface == "s13" and self.native is not None:
            return "native/s13_load.c", self.native.put
        if interface == "n17" and self.native_n17 is not None:
            return "native/n17_load.c", self.native_n17.put
        if interface == "n17" and self.h2load is not None:
            return "h2load", self.h2load.put
        return "ceir load-test", by_client(interface, self.questions)

    def cost(self, load: Callable[[], Loaded], spent: Callable[[], float]) -> tuple[Loaded, Cost]:
        """What came of a load, and what the server took for it."""
        before, idle = spent(), idle_seconds(SERVER_CORE)
        loaded = load()
        took, idle = spent() - before, idle_seconds(SERVER_CORE) - idle
        seconds = loaded.seconds or self.seconds
        return loaded, Cost(took / max(1, loaded.answered) * 1e6, took / seconds, idle / seconds)


def capacity(bench: Bench, interface: str) -> dict[str, object]:
    """Answers a second as fast as they come, and times at 70 % of that."""
    name, asks = bench.client(interface)
    flood = Plan(bench.seconds, None, CONNECTIONS, WINDOW)
    with bench.serving(interface) as running:
        port = running.ports[interface]
        asks(port, Plan(1, None, CONNECTIONS, WINDOW))
        loads, costs = [], []
        for _ in range(ROUNDS):
            loaded, cost = bench.cost(lambda: asks(port, flood), running.processor_seconds)
            loads.append(loaded)
            costs.append(cost)
        rate = statistics.median(one.per_second for one in loads)
        pace = Plan(bench.seconds * 2, rate * SHARE_OF_CAPACITY, CONNECTIONS, WINDOW * 16)
        paced, paced_cost = bench.cost(lambda: asks(port, pace), running.processor_seconds)
        own = by_client(interface, bench.questions)(port, flood) if name != "ceir load-test" else None
    cost = _median(costs)
    return {
        "client": name,
        "answers_per_second": round(rate),
        "target_answers_per_second": TARGETS.get(interface),
        "processor_us_an_answer": round(cost.microseconds, 2),
        "answers_per_processor_second": round(1e6 / cost.microseconds),
        **_core(cost),
        "client_share": loads[-1].client_share,
        "errors": {word: count for one in loads for word, count in one.errors.items()},
        "own_client_answers_per_second": round(own.per_second) if own else None,
        "at_70_percent": {
            "asked_per_second": round(rate * SHARE_OF_CAPACITY),
            "processor_us_an_answer": round(paced_cost.microseconds, 2),
            **_core(paced_cost),
            **_shown(paced),
        },
        "target_p99_ms": 5,
        "load_average": load_average(),
    }


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


def _core(cost: Cost) -> dict[str, object]:
    return {
        "server_core_share": round(cost.core_share, 3),
        "server_core_idle_share": round(cost.idle_share, 3),
    }


def _shown(loaded: Loaded) -> dict[str, object]:
    shown = {name: value for name, value in asdict(loaded).items() if value is not None}
    shown.pop("seconds", None)
    return shown


def beside_a_constant(bench: Bench) -> dict[str, object]:
    """N17 against the same server with a constant answer; rounds alternate, so a slow moment hits both."""
    name, ask = bench.client("n17")
    if name == "ceir load-test":
        return {"skipped": "neither gcc nor h2load is installed"}
    flood = Plan(bench.seconds, None, 8, 32)
    port = free_port()
    script = Path(__file__).with_name("n17_constant.py")
    # This process is on the clients' core, and what it starts would be there, too.
    core = ("taskset", "-c", str(SERVER_CORE))
    constant = subprocess.Popen([*core, sys.executable, script, str(port)])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        with bench.serving("n17") as running:
            sides = {
                "constant": (port, lambda: processor_seconds(constant.pid)),
                "service": (running.ports["n17"], running.processor_seconds),
            }
            rates: dict[str, list[float]] = {side: [] for side in sides}
            costs: dict[str, list[Cost]] = {side: [] for side in sides}
            client: dict[str, float | None] = {}
            errors: dict[str, int] = {}
            for at, _ in sides.values():
                ask(at, replace(flood, seconds=1))
            for _ in range(ROUNDS):
                for side, (at, spent) in sides.items():
                    loaded, cost = bench.cost(lambda at=at: ask(at, flood), spent)
                    rates[side].append(loaded.per_second)
                    costs[side].append(cost)
                    client[side] = loaded.client_share
                    errors |= loaded.errors
    finally:
        constant.terminate()
        constant.wait()
    rate = {side: statistics.median(values) for side, values in rates.items()}
    took = {side: _median(values) for side, values in costs.items()}
    by_time = took["constant"].microseconds / took["service"].microseconds
    return {
        "client": f"{name}, {flood.connections} connections, {flood.window} streams each",
        "answers_per_second": {side: round(value) for side, value in rate.items()},
        "processor_us_an_answer": {side: round(value.microseconds, 2) for side, value in took.items()},
        "server_core_share": {side: round(value.core_share, 3) for side, value in took.items()},
        "server_core_idle_share": {side: round(value.idle_share, 3) for side, value in took.items()},
        "client_share": client,
        "share_of_constant": round(rate["service"] / rate["constant"], 3),
        "share_of_constant_by_processor_time": round(by_time, 3),
        "errors": errors,
        "target": 0.8,
        "load_average": load_average(),
    }


def changing_lists(
    bench: Bench, interface: str, per_second: float, fresh: Path, population: Population
) -> dict[str, object]:
    """Times at 70 % of capacity in quiet, and again while a snapshot and two deltas are put in force.

    Args:
        fresh: a snapshot with sequence 2.
        population: what is in it.
    """
    name, asks = bench.client(interface)
    quiet_plan = Plan(bench.seconds * 2, per_second * SHARE_OF_CAPACITY, CONNECTIONS, WINDOW * 16)
    with bench.serving(interface) as running:
        port = running.ports[interface]
        place = bench.snapshots(running)
        asks(port, replace(quiet_plan, seconds=1))
        deltas = [running.told.parent / f"{sequence}.made" for sequence in (3, 4)]
        for sequence, file in zip((2, 3), deltas, strict=True):
            identities.write_changes(population, file, sequence, CHANGES)

        async def go(change: bool) -> Loaded:
            loading = asyncio.ensure_future(asyncio.to_thread(asks, port, quiet_plan))
            if change:
                step = quiet_plan.seconds / 4
                for number, file in enumerate((fresh, *deltas)):
                    await asyncio.sleep(step)
                    # A name appears whole: the server must not see half a file.
                    os.link(file, place / f"{number + 2}.{'delta' if number else 'snapshot'}")
            return await loading

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            quiet = runner.run(go(change=False))
            changed = runner.run(go(change=True))
        running.wait_until(4)
    return {
        "client": name,
        "snapshot_imeis": population.count,
        "delta_entries": CHANGES,
        "asked_per_second": round(quiet_plan.rate or 0),
        "quiet": _shown(quiet),
        "changing": _shown(changed),
        "p99_ratio": round(changed.milliseconds["99"] / quiet.milliseconds["99"], 2),
        "target_p99_ratio": 2,
        "load_average": load_average(),
    }


def killed(
    bench: Bench, interface: str, per_second: float = 4_000, connections: int = 16
) -> dict[str, object]:
    """kill -9 of one of two workers under load: what became of the connections to the other."""
    plan = Plan(bench.seconds * 2, per_second, connections, 256)
    with bench.serving(interface, workers=2) as running:
        victim = running.workers()[0]

        async def go() -> tuple[object, float]:
            connect = connecting(interface, running.ports[interface], plan, bench.questions)
            loading = asyncio.ensure_future(put_load(connect, plan))
            await asyncio.sleep(plan.seconds / 4)
            os.kill(victim, signal.SIGKILL)
            begun = time.monotonic()
            back = 0.0
            while not loading.done():
                if not back and len(running.workers()) == 2 and victim not in running.workers():
                    back = time.monotonic() - begun
                await asyncio.sleep(0.05)
            return await loading, back

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            report, back = runner.run(go())
    kept = [one for one in report.connections if not one.closed]  # type: ignore[attr-defined]
    gone = [one for one in report.connections if one.closed]  # type: ignore[attr-defined]
    return {
        "connections": connections,
        "connections_of_the_killed": len(gone),
        "answers_on_the_others": sum(one.answered for one in kept),
        "errors_on_the_others": sum(not one.is_clean for one in kept),
        "lost_with_the_killed": sum(one.sent - one.answered for one in gone),
        "started_again_after_s": round(back, 2),
    }
