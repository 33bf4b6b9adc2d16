"""Makes the golden country and writes its files as operators and authorities would deliver them."""

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

from building import HEADERS

from . import listed, used
from .country import COVERED, DAYS, FIRST_DAY, KEYS, OPERATORS, RUNS, Country, Reason, before

DEVICES = 10_000
WRONG_FILE = "wrong"
"""What the plan calls the delivery that is undone."""


@dataclass(frozen=True)
class Step:
    """One thing that happens: a delivery (`take`), an `undo` of the wrong file, or a run (`classify`).

    Args:
        run: the run it leads to.
        day: the day it is received, or the day of the run.
    """

    run: int
    action: str
    source: str
    operator: str
    delta: str
    day: date
    file: str


@dataclass(frozen=True)
class Made:
    """The country: files by name, what happens in what order, and the reasons."""

    files: dict[str, list[str]]
    plan: list[Step]
    reasons: list[Reason]
    states: dict[int, dict[str, list[str]]]
    """Every list whole, by run: what full lists and deltas must have come to."""


def make() -> Made:
    """The golden country, the same each time."""
    c = Country()
    listed.ordinary_models(c)
    for reason in (*listed.ALL, *used.ALL):
        reason(c)
    used.ordinary(c, DEVICES)
    files: dict[str, list[str]] = {}
    plan: list[Step] = []
    states: dict[int, dict[str, list[str]]] = {}
    for run in RUNS:
        if run == 3:
            plan.append(Step(run, "undo", "observations", "operator4", "", DAYS[run], WRONG_FILE))
        _deliver_lists(c, run, files, plan)
        _deliver_observations(c, run, files, plan)
        plan.append(Step(run, "classify", "", "", "", DAYS[run], ""))
        states[run] = {"tac": [HEADERS["tac"], *(c.tacs[run][tac] for tac in sorted(c.tacs[run]))]}
        states[run] |= {s: [HEADERS[s], *sorted(c.lists[s][run].values())] for s in KEYS}
    return Made(files, plan, list(c.reasons.values()), states)


def _deliver_lists(c: Country, run: int, files: dict[str, list[str]], plan: list[Step]) -> None:
    """Whole lists for the first and the third run, changes for the second; nothing where nothing changed."""
    if run == 1 or c.tacs[run] != c.tacs[run - 1]:
        name = f"run{run}/tac.txt"
        files[name] = [HEADERS["tac"], *(c.tacs[run][tac] for tac in sorted(c.tacs[run]))]
        plan.append(Step(run, "take", "tac", "", "", DAYS[run], name))
    for source in KEYS:
        now = c.lists[source][run]
        old = c.lists[source][run - 1] if run > 1 else {}
        if run > 1 and now == old:
            continue
        delta = run == 2
        name = f"run{run}/{source}{'-changes' if delta else ''}.csv"
        if delta:
            rows = [f"{row},remove" for key, row in old.items() if key not in now]
            rows += [f"{row},add" for key, row in now.items() if key not in old]
            rows += [f"{row},update" for key, row in now.items() if key in old and row != old[key]]
        else:
            rows = list(now.values())
        files[name] = [HEADERS[source] + (",change_type" if delta else ""), *sorted(rows)]
        plan.append(Step(run, "take", source, "", "delta" if delta else "", DAYS[run], name))


def _deliver_observations(c: Country, run: int, files: dict[str, list[str]], plan: list[Step]) -> None:
    first = FIRST_DAY if run == 1 else before(COVERED[run - 1], -1)
    start, end = (f"{day:%Y%m%d}" for day in (first, COVERED[run]))
    for operator in OPERATORS:
        rows = [row for row in c.seen[operator] if start <= row[:8] <= end]
        name = f"run{run}/{operator}_{start}_{end}.csv"
        files[name] = [HEADERS["observations"], *sorted(rows)]
        plan.append(Step(run, "take", "observations", operator, "", COVERED[run], name))
    if run == 2:
        days = sorted({row[:8] for row in c.wrong})
        name = f"run{run}/operator4_{days[0]}_{days[-1]}.csv"
        files[name] = [HEADERS["observations"], *sorted(c.wrong)]
        plan.append(Step(run, "take", "observations", "operator4", WRONG_FILE, COVERED[run], name))


def write_inputs(folder: Path) -> None:
    """Write the input files, the plan and the reasons."""
    made = make()
    for name, lines in made.files.items():
        write_packed(folder / f"{name}.gz", "".join(f"{line}\n" for line in lines).encode())
    (folder / "plan.csv").write_bytes(plan_bytes(made.plan))
    write_packed(folder / "reasons.csv.gz", reasons_bytes(made.reasons))


def write_packed(file: Path, content: bytes) -> None:
    """Gzip without name or time inside."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content, 9, mtime=0))


def plan_bytes(plan: list[Step]) -> bytes:
    """The plan as CSV."""
    return _csv([[f.name for f in fields(Step)], *([getattr(s, f.name) for f in fields(Step)] for s in plan)])


def reasons_bytes(reasons: list[Reason]) -> bytes:
    """The reasons as CSV."""
    header = ["imei", "why", *(f"conditions_{run}" for run in RUNS), *(f"outcome_{run}" for run in RUNS)]
    return _csv([header, *([r.imei, r.why, *r.conditions, *r.outcomes] for r in reasons)])


def read_plan(folder: Path) -> Iterator[Step]:
    """The plan as it was committed."""
    with (folder / "plan.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Step(
                int(row["run"]),
                row["action"],
                row["source"],
                row["operator"],
                row["delta"],
                date.fromisoformat(row["day"]),
                row["file"],
            )


def read_reasons(folder: Path) -> list[Reason]:
    """The reasons as they were committed."""
    with gzip.open(folder / "reasons.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return [
            Reason(
                row["imei"],
                row["why"],
                tuple(row[f"conditions_{run}"] for run in RUNS),
                tuple(row[f"outcome_{run}"] for run in RUNS),
            )
            for row in csv.DictReader(file)
        ]


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
