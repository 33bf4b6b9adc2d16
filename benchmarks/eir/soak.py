"""Steady load on all interfaces with hostile connections mixed in, lists that change, and memory looked at.

    just soak 10          (minutes; the nightly form; 60 for the long one)

Two workers answer; clients come anew every half minute. What a worker holds for itself (anonymous memory:
what it shares or maps from files does not count) is sampled, and the slope of a straight line through the
samples is told, without the first fifth, in which caches fill. Nothing passes or fails.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import identities
import numpy as np
from asking import connecting
from identities import Population
from machine import CLIENT_CORE, described, load_average
from plant import Plant, plant
from rich.console import Console

from ceir.interfaces.load import Plan, put_load
from ceir.interfaces.serving.workers import new_event_loop

INTERFACES = ("n17", "s13", "map")
ROUND_SECONDS = 30.0
SAMPLE_SECONDS = 5.0
CHANGES = 20_000
WARM_UP = 0.2


def anonymous_mib(process: int) -> float:
    found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def descriptors(process: int) -> int:
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


class Samples:
    """Memory and open files of each worker over time, in a thread of its own."""

    def __init__(self, workers: list[int]) -> None:
        self.workers = workers
        self.at: list[float] = []
        self.mib: dict[int, list[float]] = {worker: [] for worker in workers}
        self.files: dict[int, list[int]] = {worker: [] for worker in workers}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go)

    def __enter__(self) -> "Samples":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _go(self) -> None:
        begun = time.monotonic()
        while not self._over.wait(SAMPLE_SECONDS):
            # A worker that ended is a finding of its own; its samples end there.
            with_files = [
                (w, anonymous_mib(w), descriptors(w)) for w in self.workers if Path(f"/proc/{w}").exists()
            ]
            self.at.append(time.monotonic() - begun)
            for worker, mib, files in with_files:
                self.mib[worker].append(mib)
                self.files[worker].append(files)

    def told(self) -> list[dict[str, object]]:
        """A line for each worker; the slope in MiB an hour."""
        told = []
        for worker in self.workers:
            mib = self.mib[worker]
            first = int(len(mib) * WARM_UP)
            kept = mib[first:]
            hours = np.array(self.at[first : len(mib)]) / 3600
            slope = float(np.polyfit(hours, kept, 1)[0]) if len(kept) > 2 else float("nan")
            told.append(
                {
                    "alive": len(mib) == len(self.at),
                    "mib_after_warm_up": round(kept[0], 1) if kept else None,
                    "mib_at_the_end": round(kept[-1], 1) if kept else None,
                    "mib_most": round(max(mib), 1) if mib else None,
                    "slope_mib_an_hour": round(slope, 2),
                    "open_files_first_and_last": [self.files[worker][0], self.files[worker][-1]]
                    if mib
                    else None,
                }
            )
        return told


async def round_of_load(running: Plant, rate: float, questions: list[object], seconds: float) -> list[object]:
    plan = Plan(seconds, rate / len(INTERFACES), connections=6, window=256)
    return await asyncio.gather(
        *(
            put_load(connecting(name, running.ports[name], plan, questions), plan)  # type: ignore[arg-type]
            for name in INTERFACES
        )
    )


def main() -> None:
    """Soak once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=3_000, help="requests a second over all interfaces")
    parser.add_argument("--imeis", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {CLIENT_CORE})
    folder = Path(tempfile.mkdtemp(prefix="ceir-soak-"))
    (folder / "snapshots").mkdir()
    try:
        result = _soaked(folder, chosen.minutes * 60, chosen.rate, chosen.imeis, chosen.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.output:
        chosen.output.write_text(text + "\n")


def _soaked(folder: Path, seconds: float, rate: float, imeis: int, seed: int) -> dict[str, object]:
    population = Population.made_up(imeis, seed)
    questions = population.questions(10_000, seed)
    snapshots = folder / "snapshots"
    identities.write_snapshot(population, snapshots / "1.snapshot", 1)
    outcomes: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    closed = rounds = 0
    sequence = 1
    with plant(folder, *INTERFACES, workers=2) as running:
        ports = [f"{name}={running.ports[name]}" for name in INTERFACES]
        script = Path(__file__).with_name("hostile.py")
        hostile = subprocess.Popen(
            [sys.executable, script, str(seconds), str(seed), *ports], stdout=subprocess.PIPE, text=True
        )
        until = time.monotonic() + seconds
        with Samples(running.workers()) as samples, asyncio.Runner(loop_factory=new_event_loop) as runner:
            while time.monotonic() < until:
                left = until - time.monotonic()
                for report in runner.run(
                    round_of_load(running, rate, questions, min(ROUND_SECONDS, max(1, left)))
                ):
                    outcomes.update(report.outcomes)  # type: ignore[attr-defined]
                    errors.update(report.errors)  # type: ignore[attr-defined]
                    closed += report.closed  # type: ignore[attr-defined]
                rounds += 1
                sequence += 1
                # A whole snapshot now and then, changes in between: both leave what was before behind.
                if sequence % 8 == 0:
                    identities.write_snapshot(population, snapshots / f"{sequence}.snapshot", sequence)
                else:
                    identities.write_changes(
                        population, snapshots / f"{sequence}.delta", sequence - 1, CHANGES
                    )
                for old in sorted(snapshots.glob("*.*"), key=lambda path: int(path.stem))[:-10]:
                    old.unlink()
                held = [round(values[-1], 1) for values in samples.mib.values() if values]
                answers, wrong = sum(outcomes.values()), sum(errors.values())
                Console(stderr=True).print(
                    f"{datetime.now(UTC):%H:%M:%S} {answers:,} answers, {wrong} errors, {held} MiB",
                    style="dim",
                )
        trouble = json.loads(hostile.communicate(timeout=120)[0])
        replaced = set(running.workers()) != set(samples.workers)
        in_force = running.sequences()
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": described(),
        "load_average": load_average(),
        "minutes": round(seconds / 60, 1),
        "answers": dict(outcomes),
        "errors": dict(errors),
        "connections_closed_by_the_server": closed,
        "rounds_of_clients": rounds,
        "hostile_connections": trouble,
        "workers_replaced": replaced,
        "sequence_in_force": in_force,
        "sequence_written": sequence,
        "workers": samples.told(),
    }


if __name__ == "__main__":
    main()
