"""`ceir serve` while networks ask all the time: a worker dies, lists change, and no other answer suffers."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
from plants import KEY, Plant, plant, today, write_snapshot

from ceir.equipment_check import Question
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot.building import SnapshotContent
from ceir.equipment_check.snapshot.delta import Delta, write_delta
from ceir.interfaces.load import LoadReport, Plan, put_load
from ceir.interfaces.load.putting import Connect
from ceir.interfaces.map.load import MapLoad
from ceir.interfaces.map.transport import Transport
from ceir.interfaces.n17.load import N17Load
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.load import S13Load
from ceir.interfaces.serving.workers import new_event_loop
from vectors import BLOCKED_IMEI, UNKNOWN_IMEI, VECTORS

INTERFACES = ("n17", "s13", "map")
RATE = 300.0
COMES_AND_GOES = 35_000_001_000_000


def connecting(interface: str, port: int, plan: Plan, questions: list[Question]) -> Connect:
    clock = time.perf_counter
    if interface == "n17":
        return N17Load(questions, "127.0.0.1", port, plan.window, clock).connect
    if interface == "map":
        return MapLoad(questions, "127.0.0.1", port, plan.window, clock, Transport.TCP).connect
    node = Node("mme.localdomain", "localdomain")
    return S13Load(node, questions, "127.0.0.1", port, plan.window, plan.connections, clock).connect


def loaded(
    running: Plant, plan: Plan, questions: list[Question], after: float, meanwhile: Callable[[], None]
) -> Mapping[str, LoadReport]:
    """What came of loads on all interfaces, during which something is done after some seconds."""

    async def go() -> list[LoadReport]:
        loads = [
            asyncio.ensure_future(put_load(connecting(name, running.ports[name], plan, questions), plan))
            for name in INTERFACES
        ]
        await asyncio.sleep(after)
        await asyncio.to_thread(meanwhile)
        return await asyncio.gather(*loads)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return dict(zip(INTERFACES, runner.run(go()), strict=True))


def test_when_a_worker_is_killed_the_connections_to_others_go_on_without_an_error(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1)
    questions = [question for question, _ in VECTORS]
    with plant(tmp_path, "n17 s13 map", workers=2) as running:
        victim = running.workers()[0]
        reports = loaded(
            running,
            Plan(4, rate=RATE, connections=16, wait=20),
            questions,
            1.5,
            lambda: os.kill(victim, signal.SIGKILL),
        )
        for interface, report in reports.items():
            # Which worker a connection goes to is the kernel's choice: 16 do not all go to one.
            assert 0 < report.closed < 16, interface
            kept = [one for one in report.connections if not one.closed]
            assert all(one.is_clean and one.answered > 30 for one in kept), interface
            assert report.sent == 1_200, interface
            assert set(report.errors) <= {"no answer"}, "only what was under way at the worker that died"
        running.wait_for("worker_ended")
        for report in loaded(running, Plan(0.5, rate=RATE, connections=8), questions, 0, bool).values():
            assert report.errors == {}


def listed(*more: int) -> SnapshotContent:
    """200,000 blocked IMEIs, the blocked one of the vectors and some more."""
    many = np.arange(35_000_002_000_000, 35_000_002_400_000, 2, dtype=np.uint64)
    rest = np.array([BLOCKED_IMEI, *more], dtype=np.uint64)
    return SnapshotContent(identities={"blocked": [np.sort(np.concatenate((many, rest)))]})


def turn(sequence: int) -> Delta:
    """20,000 blocked IMEIs come, or go again with the next one, and with them the one that comes and goes."""
    way = "added" if sequence % 2 else "removed"
    imeis = (COMES_AND_GOES, *range(36_000_000_000_000, 36_000_000_020_000))
    return Delta(
        base=sequence - 1,
        sequence=sequence,
        as_of=today().date().isoformat(),
        expires_at=(today() + timedelta(days=10)).isoformat(),
        key_id=key_id(KEY.public_key()),
        **{way: {"blocked": imeis}},  # type: ignore[arg-type]
    )


def test_lists_that_change_under_load_cost_no_answer(tmp_path: Path) -> None:
    """A larger snapshot, then deltas; one IMEI is on a list throughout, one on none, one comes and goes."""
    folder = tmp_path / "snapshots"
    write_snapshot(folder / "1.snapshot", 1)

    def change() -> None:
        write_snapshot(folder / "2.snapshot", 2, listed())
        for sequence in (3, 4, 5):
            write_delta(turn(sequence), KEY, folder / f"{sequence}.delta")
            time.sleep(0.5)

    questions = [Question(BLOCKED_IMEI), Question(UNKNOWN_IMEI), Question(COMES_AND_GOES)]
    with plant(tmp_path, "n17 s13 map", workers=2) as running:
        reports = loaded(running, Plan(6, rate=RATE, connections=6, wait=20), questions, 1.0, change)
        for worker in (0, 1):
            running.wait_for("snapshot_in_force", worker=worker, sequence=5)
    for interface, report in reports.items():
        assert report.errors == {}, interface
        assert report.closed == 0, interface
        assert report.answered == 1_800, interface
        assert set(report.outcomes) == {"blocked", "unknown"}, interface
        assert min(report.outcomes.values()) > 600, f"{interface}: the third was answered both ways"
