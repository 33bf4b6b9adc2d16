"""Measures the snapshot: bits per IMEI, opening, verifying, looking up, a delta, and memory over processes.

    uv run python benchmarks/eir/snapshot.py [IMEIS]     (100 million unless told)

Times are processor time: they compare across noisy machines. A part of `just bench-eir`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import identities
from identities import KEY, Population
from machine import memory

from ceir.equipment_check import Question
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot import open_snapshot, verify_content
from ceir.equipment_check.snapshot.delta import read_delta

KEYS = {key_id(KEY.public_key()): KEY.public_key()}
QUESTIONS = 200_000
CHANGES = 100_000
ROUNDS = 3


def processor_ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


def look_up_us(verdict: Callable[..., object], questions: Sequence[Question]) -> float:
    """Microseconds of processor time a look-up, the loop around it included; the best of some rounds."""

    def once() -> None:
        for imei, version, imsi in questions:
            verdict(imei, version, imsi)

    return round(min(processor_ms(once) for _ in range(ROUNDS)) * 1000 / len(questions), 3)


def measure(folder: Path, population: Population) -> dict[str, object]:
    """All of it; leaves the snapshot, sequence 1, in the folder."""
    path = folder / "1.snapshot"
    building = processor_ms(lambda: identities.write_snapshot(population, path, 1))
    now = datetime.now(UTC)
    count, size = population.count, path.stat().st_size
    begun = time.perf_counter()
    snapshot = open_snapshot(path, KEYS, now)
    opened = (time.perf_counter() - begun) * 1000
    questions = population.questions(QUESTIONS, seed=2)
    without_subscriber = [question._replace(imsi=None) for question in questions]
    blocked = sum(snapshot.verdict(*question).status.value == "blocked" for question in questions)
    result: dict[str, object] = {
        "imeis": count,
        "tacs": len(population.tacs),
        "building_processor_s": round(building / 1000, 1),
        "file_mib": round(size / 2**20, 1),
        "bits_per_imei": round(size * 8 / count, 3),
        "information_limit_bits": round(population.least_bits, 3),
        "opening_ms": round(opened, 2),
        "verifying_processor_ms": round(processor_ms(lambda: verify_content(snapshot)), 1),
        "asked_that_are_blocked": round(blocked / len(questions), 3),
        "look_up_us": look_up_us(snapshot.verdict, without_subscriber),
        "look_up_with_subscriber_us": look_up_us(snapshot.verdict, questions),
        "target_bits": 13,
        "target_look_up_us": 1.5,
        "target_opening_ms": 100,
    }
    holder = SnapshotHolder(KEYS, snapshot, now)
    result["look_up_as_served_us"] = look_up_us(holder.verdict, questions)
    with tempfile.TemporaryDirectory() as beside:
        changes = Path(beside) / "2.delta"
        identities.write_changes(population, changes, 1, CHANGES)
        result["delta"] = {
            "entries": CHANGES,
            "file_mib": round(changes.stat().st_size / 2**20, 2),
            "applying_processor_ms": round(
                processor_ms(lambda: holder.offer_delta(read_delta(changes, KEYS, now), now)), 1
            ),
            "look_up_as_served_us": look_up_us(holder.verdict, questions),
        }
    result["memory"] = shared(path, population)
    return result


def shared(path: Path, population: Population) -> dict[str, object]:
    """Memory of two processes that look into one snapshot, and of one that looks into a tiny one."""
    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "tiny"
        identities.write_snapshot(Population.made_up(20, seed=3), tiny, 1)
        command = [sys.executable, __file__, "--hold"]
        asked = [*map(str, (population.count, population.seed))]
        holders = [
            subprocess.Popen([*command, str(one), *asked], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for one in (path, path, tiny)
        ]
        try:
            for holder in holders:
                assert holder.stdout is not None
                assert holder.stdout.readline() == b"asked\n"
            first, second, without = (
                memory(holder.pid, one) for holder, one in zip(holders, (path, path, tiny), strict=True)
            )
        finally:
            for holder in holders:
                holder.communicate(b"\n")
    alone = (first["uss"] + second["uss"]) / 2 - without["uss"]
    bits = (first["mapped_rss"] + alone) * 2**20 * 8 / population.count
    return {
        "processes_mib": [first, second],
        "private_mib_more_for_each": round(alone, 1),
        "bits_per_imei_in_one_process": round(bits, 2),
    }


def hold(path: Path, count: int, seed: int) -> None:
    """In a process of its own: opens, asks so much that every page was looked at, and waits."""
    snapshot = open_snapshot(path, KEYS, datetime.now(UTC))
    # Not all at once: numbers kept for the questions would count as memory of the snapshot.
    population = Population.made_up(count, seed)
    for part in range(20):
        for imei in population.asked(50_000, part):
            snapshot.verdict(int(imei), 1, None)
    print("asked", flush=True)
    sys.stdin.readline()


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("imeis", type=int, nargs="?", default=100_000_000)
    parser.add_argument("--hold", nargs=3, metavar=("PATH", "COUNT", "SEED"))
    chosen = parser.parse_args()
    if chosen.hold:
        hold(Path(chosen.hold[0]), int(chosen.hold[1]), int(chosen.hold[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), Population.made_up(chosen.imeis, seed=1)), indent=1))


if __name__ == "__main__":
    main()
