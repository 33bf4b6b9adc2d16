"""Measures the core's main job: import, classify, publish, then a small file more. CPU seconds, memory, disk.

Run it with: just bench            (10 million rows)
             just bench 100000000  (any number of observation rows)
It writes a file into benchmarks/core/results/ and prints a table. CPU seconds are those of this process and
its children (user and system), so they compare across noisy machines; wall time is given for orientation.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from ceir.pipeline.classify import Request, classify
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest import Delivery, take_in
from ceir.pipeline.merging import merge
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace
from ceir.policy import shipped_policies
from ceir.testing.country import CountrySpec, write_country

ROWS_PER_SUBSCRIBER = 50.0
"""Observation rows of a subscriber in three months; the country's size follows from the rows asked for."""


def cpu() -> float:
    """CPU seconds of this process and its finished children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def tree_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


T = TypeVar("T")


class Stopwatch:
    """Collects CPU and wall seconds of named phases."""

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = {}

    def measure(self, name: str, work: Callable[[], T]) -> T:
        """Run `work` and add its time to the phase."""
        before, wall = cpu(), time.monotonic()
        result = work()
        phase = self.phases.setdefault(name, {"cpu_s": 0.0, "wall_s": 0.0})
        phase["cpu_s"] = round(phase["cpu_s"] + cpu() - before, 2)
        phase["wall_s"] = round(phase["wall_s"] + time.monotonic() - wall, 2)
        return result


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=10_000_000, help="observation rows, about")
    parser.add_argument("--memory-gb", type=float, default=8.0)
    parser.add_argument(
        "--rows-per-subscriber",
        type=float,
        default=ROWS_PER_SUBSCRIBER,
        help="fewer rows each: more subscribers and devices for the same number of rows",
    )
    parser.add_argument("--policy", default="dirbs-sample")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/ceir-bench"))  # noqa: S108
    arguments = parser.parse_args()
    folder, rows = arguments.folder, arguments.rows
    shutil.rmtree(folder, ignore_errors=True)
    scale = rows / 10_000_000
    spec = CountrySpec(
        subscribers=int(rows / arguments.rows_per_subscriber),
        rows_per_subscriber_month=arguments.rows_per_subscriber / 3,
        tac_count=60_000,
        registrations=int(1_500_000 * scale),
        stolen=int(50_000 * scale),
        sightings_per_operator=0,
        modern_rats=False,
    )
    watch = Stopwatch()
    files = watch.measure("generate (not counted)", lambda: write_country(spec, folder / "files"))
    workspace = Workspace.create(folder / "workspace", shipped_policies()[arguments.policy])
    limits = Limits(workspace.scratch, threads=2, memory_gb=arguments.memory_gb)
    received = spec.last_day

    late = dict.fromkeys(("daily_imeis", "daily_imsis", "daily_msisdns"), "a region's late file")

    def take(source: str, path: Path, operator: str | None = None, *, accept: bool = False) -> int:
        with workspace.locked():
            delivery = Delivery(source, path, received, operator, accepted=late if accept else {})
            record = take_in(workspace, delivery, limits)
        return record.counts.read

    for source, path in files.lists.items():
        watch.measure("import lists", lambda s=source, p=path: take(s, p))
    observed = 0
    for operator, path in files.observations:
        observed += watch.measure(
            "import observations", lambda o=operator, p=path: take("observations", p, o)
        )
    watch.measure("import observations", lambda: merge(workspace, limits))

    def judge(day: date) -> tuple[str, int]:
        engine = DuckEngine(limits)
        try:
            with workspace.locked():
                run, _ = classify(workspace, Request(as_of=day, accepted=accepted), engine)
        finally:
            engine.close()
        return run.mode, run.looked_at

    def bring_out() -> None:
        engine = DuckEngine(limits)
        try:
            with workspace.locked():
                publish(workspace, PublishRequest(), engine)
        finally:
            engine.close()

    accepted = dict.fromkeys(workspace.policy()[0].conditions, "benchmark")
    watch.measure("classify", lambda: judge(received))
    watch.measure("publish", bring_out)
    disk = tree_bytes(workspace.root)
    small = _small_file(files.observations[-1][1], folder / "more", received)
    watch.measure(
        "small file: import", lambda: take("observations", small, files.observations[-1][0], accept=True)
    )
    mode, looked_at = watch.measure("small file: classify, same day", lambda: judge(received))
    watch.measure("small file: publish with deltas", bring_out)
    next_day = watch.measure("next day: classify", lambda: judge(received + timedelta(days=1)))
    watch.measure("next day: publish with deltas", bring_out)
    counted = sum(
        watch.phases[p]["cpu_s"] for p in ("import lists", "import observations", "classify", "publish")
    )
    result = {
        "rows": observed,
        "rows_per_subscriber": arguments.rows_per_subscriber,
        "policy": arguments.policy,
        "lists": {k: v for k, v in files.counts.items() if k != "observations"},
        "cpu_s_counted": round(counted, 2),
        "cpu_s_per_million_rows": round(counted / observed * 1e6, 3),
        "disk_gb": round(disk / 1e9, 4),
        "input_gb": round(tree_bytes(folder / "files") / 1e9, 3),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "small_file_rows": sum(1 for _ in small.open()) - 1,
        "small_file_mode": mode,
        "small_file_looked_at": looked_at,
        "next_day_mode": next_day[0],
        "next_day_looked_at": next_day[1],
        "phases": watch.phases,
        "machine": {
            "cores": os.cpu_count(),
            "memory_limit_gb": arguments.memory_gb,
            "system": f"{platform.system()} {platform.machine()}",
            "python": sys.version.split()[0],
            "duckdb": version("duckdb"),
            "pyarrow": version("pyarrow"),
        },
    }
    target = (
        Path(__file__).parent / "results" / f"{rows}-{arguments.rows_per_subscriber:g}-per-subscriber.json"
    )
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n")
    _show(result)
    shutil.rmtree(folder, ignore_errors=True)


def _small_file(source: Path, folder: Path, day: date) -> Path:
    """A region's late file: a thousand rows of the last day, equipment partly known and partly new."""
    folder.mkdir()
    target = folder / f"{source.name.split('_')[0]}_late_{day:%Y%m%d}_{day:%Y%m%d}.csv"
    with source.open() as lines, target.open("w") as out:
        out.write(next(lines))
        for number, line in enumerate(lines):
            if number % 50 == 0:
                out.write(f"{day:%Y%m%d}{line[8:]}")
            if number > 50_000:
                break
    return target


def _show(result: dict[str, object]) -> None:
    table = Table("phase", "CPU s", "wall s", title=f"{result['rows']:,} observation rows")
    for name, phase in result["phases"].items():  # type: ignore[attr-defined]
        table.add_row(name, f"{phase['cpu_s']:.1f}", f"{phase['wall_s']:.1f}")
    console = Console()
    console.print(table)
    for key, value in result.items():
        if key not in ("phases", "lists", "machine"):
            console.print(f"{key}: {value}")


if __name__ == "__main__":
    main()
