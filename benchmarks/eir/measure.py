"""Measures the equipment check, everything in one run with ratios, and writes a file into results/.

    just bench-eir                       (about 6 minutes, 100 million IMEIs)
    just bench-eir --imeis 1000000 --seconds 1 --swap-imeis 100000
    just bench-eir --only snapshot,s13

One server process has the first core for itself, clients have the last one. Processor time is that of the
server alone and compares across busy machines; rates and times to the answer need a quiet one: the load
average stands beside them. Nothing here passes or fails; targets stand beside the figures.
"""

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import identities
import snapshot
from identities import Population
from machine import CLIENT_CORE, described, load_average
from rich.console import Console
from rich.table import Table
from serving import INTERFACES, Bench, beside_a_constant, capacity, changing_lists, killed

PARTS = ("snapshot", *INTERFACES, "constant", "swap", "kill")
QUESTIONS = 20_000


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--imeis", type=int, default=100_000_000)
    parser.add_argument(
        "--swap-imeis", type=int, default=10_000_000, help="in the snapshot that is swapped in"
    )
    parser.add_argument("--seconds", type=float, default=5, help="of one load; paced ones take twice as long")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts of: {','.join(PARTS)}")
    parser.add_argument("--output", type=Path, help="instead of a file in results/")
    chosen = parser.parse_args()
    wanted = set(chosen.only.split(","))
    if unknown := wanted - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    result: dict[str, object] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": described(),
        "load_average_before": load_average(),
        "imeis": chosen.imeis,
        "seconds": chosen.seconds,
    }
    # The server's processes set their own core when they start.
    os.sched_setaffinity(0, {CLIENT_CORE})
    folder = Path(tempfile.mkdtemp(prefix="ceir-bench-eir-"))
    target = chosen.output or Path(__file__).parent / "results" / f"{chosen.imeis}-imeis.json"
    target.parent.mkdir(exist_ok=True)
    try:
        for name, found in _measured(folder, chosen.imeis, chosen.swap_imeis, chosen.seconds, wanted):
            result[name] = found
            result["load_average_after"] = load_average()
            # After each part: one that fails costs only itself.
            target.write_text(json.dumps(result, indent=1) + "\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _show(result)
    Console().print(f"written to {target}", soft_wrap=True)


def _measured(
    folder: Path, imeis: int, swap_imeis: int, seconds: float, wanted: set[str]
) -> Iterator[tuple[str, dict[str, object]]]:
    population = Population.made_up(imeis, seed=1)
    if "snapshot" in wanted:
        yield _step("snapshot", lambda: snapshot.measure(folder, population))
        (folder / "1.snapshot").rename(folder / "first.snapshot")
    else:
        identities.write_snapshot(population, folder / "first.snapshot", 1)
    bench = Bench(folder, population.questions(QUESTIONS, seed=5), seconds)
    rates: dict[str, float] = {}
    for interface in INTERFACES:
        if interface in wanted or "swap" in wanted:
            name, found = _step(interface, lambda interface=interface: capacity(bench, interface))
            rates[interface] = found["answers_per_second"]  # type: ignore[assignment]
            yield name, found
    if "constant" in wanted:
        yield _step("n17_beside_a_constant", lambda: beside_a_constant(bench))
    if "swap" in wanted:
        smaller = Population.made_up(swap_imeis, seed=2)
        fresh = folder / "fresh.snapshot"
        identities.write_snapshot(smaller, fresh, 2)
        for name in INTERFACES:
            yield _step(
                f"{name}_while_lists_change",
                lambda name=name: changing_lists(bench, name, rates[name], fresh, smaller),
            )
    if "kill" in wanted:
        for name in INTERFACES:
            yield _step(f"{name}_kill", lambda name=name: killed(bench, name))


def _step(name: str, work: Callable[[], dict[str, object]]) -> tuple[str, dict[str, object]]:
    Console(stderr=True).print(f"{datetime.now(UTC):%H:%M:%S} {name} ...", style="dim")
    return name, work()


def _show(result: dict[str, object]) -> None:
    table = Table("what", "figure", "target", title=f"Equipment check, {result['imeis']:,} IMEIs")
    for name, found in result.items():
        if not isinstance(found, dict) or name == "machine":
            continue
        for what, figure in _lines(found):
            goal = found.get(f"target_{what.replace('at_70_percent.milliseconds.99', 'p99_ms')}")
            table.add_row(f"{name}.{what}", str(figure), "" if goal is None else str(goal))
        table.add_section()
    console = Console()
    console.print(table)
    console.print(result["machine"], result["load_average_before"])


def _lines(found: dict[str, object], before: str = "") -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    for name, value in found.items():
        if name.startswith("target"):
            continue
        if isinstance(value, dict):
            lines += _lines(value, f"{before}{name}.")
        elif value is not None:
            lines.append((f"{before}{name}", value))
    return lines


if __name__ == "__main__":
    main()
