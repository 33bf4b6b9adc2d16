"""Worlds made, ingested and classified: each with what is true of it and what the product said."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from clones.running import Answers, Bench, policy_text
from clones.truths import Identity, read_truth
from clones.worlds import LAST_DAY, Made, World

MODES = ("aggregate", "sightings")
"""Daily aggregates and lists only; and with sightings, cells and fingerprints."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Case:
    """A world in one mode on its last day, or on an earlier one."""

    world: World
    mode: str
    truth: Mapping[str, Identity]
    answers: Answers
    counts: Mapping[str, int]
    """Rows of the world's files by source."""


def run_world(
    world: World,
    folder: Path,
    weights: str | None,
    say: Say,
    days: tuple[date, ...] = (),
    modes: Sequence[str] = MODES,
) -> tuple[dict[str, Case], dict[str, dict[str, date]]]:
    """Makes a world and lets the product judge it, first without and then with sightings.

    Args:
        modes: of `MODES`, in their order; the first alone is much cheaper.
        days: earlier days that are classified too, to see how long detection takes.

    Returns: the case of each mode on the last day, and for each mode the first of all days on which each
        IMEI was called a clone (by the score, and by the peer's rules under `peer-MODE`).
    """
    place = folder / world.name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    say(f"{world.name}: writing")
    made = world.make_files(place / "files", sighted="sightings" in modes)
    counts = {source: sum(_rows(path) for path in paths) for source, paths in made.files.items()}
    bench = Bench(place / "workspace", policy_text(world.operators, weights))
    cases, called = {}, {}
    for mode in modes:
        say(f"{world.name}: {mode}")
        if not cases:
            bench.take(made.without_sightings(), LAST_DAY)
        if mode == "sightings":
            bench.take(_sighted(made), LAST_DAY)
        first: dict[str, dict[str, date]] = {mode: {}, f"peer-{mode}": {}}
        for day in (*days, LAST_DAY):
            answers = bench.classify(day)
            now = {mode: answers.matched.get("cloned", ()), f"peer-{mode}": peer(answers)}
            for name, imeis in now.items():
                for imei in imeis:
                    first[name].setdefault(imei, day)
        called.update(first)
        cases[mode] = Case(world, mode, read_truth(made.truth, world.name, LAST_DAY), answers, counts)
    shutil.rmtree(place)
    return cases, called


def peer(answers: Answers) -> frozenset[str]:
    """What either rule of the peer's sample matches."""
    return answers.matched.get("peer_threshold", frozenset()) | answers.matched.get("peer_daily", frozenset())


def weekly(weeks: int) -> tuple[date, ...]:
    """So many days, a week apart, before the last."""
    return tuple(LAST_DAY - timedelta(days=7 * back) for back in range(weeks, 0, -1))


def _sighted(made: Made) -> dict[str, Any]:
    return {
        source: made.files[source]
        for source in ("cells", "fingerprints", "sightings")
        if source in made.files
    }


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1


def save(cases: Mapping[str, Case], folder: Path) -> None:
    """Facts and truths as JSON lines, to look at or to fit on again."""
    folder.mkdir(parents=True, exist_ok=True)
    for mode, case in cases.items():
        with (folder / f"{case.world.name}-{mode}.jsonl").open("w", encoding="utf-8") as file:
            for imei, facts in sorted(case.answers.facts.items()):
                identity = case.truth.get(imei)
                if identity and not identity.set_aside:
                    told = {"imei": imei, "class": identity.klass, "story": identity.story, "facts": facts}
                    file.write(json.dumps(told, default=str) + "\n")
