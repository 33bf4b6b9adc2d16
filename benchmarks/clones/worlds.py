"""Which worlds there are: seeds A to fit on, B to report on, another make, and some without clones."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from ceir.testing.country import CountrySpec, Habits, Movement, Wrongs, write_country
from clones.wanderer_files import write
from clones.wanderers import WandererSpec

LAST_DAY = date(2026, 10, 31)

CLONES = replace(
    Wrongs(),
    clone_far=0.0012,
    clone_near=0.0012,
    clusters=0.0012,
    clone_dead_source=0.0012,
    clone_pre_sale=0.0012,
    clone_mismatch=0.0012,
    clone_replica=0.0012,
    clone_rotating=0.0006,
    not_associated=0.1,
    imsi_unregistered=0.02,
    oem_error=0.001,
)
"""About one IMEI in a hundred is copied: two to ten times what regulators report, to have cases to count."""

NO_CLONES = replace(
    CLONES,
    clone_far=0,
    clone_near=0,
    clusters=0,
    clone_dead_source=0,
    clone_pre_sale=0,
    clone_mismatch=0,
    clone_replica=0,
    clone_rotating=0,
)

HABITS = Habits(other_name=0.15, courier=0.1, two_homes=0.1, flyer=0.1, repair_bench=0.001)


@dataclass(frozen=True)
class World:
    """A world to be made.

    Args:
        make: country (`ceir.testing.country`) or wanderers.
        lines: subscriptions, about.
    """

    make: str
    seed: int
    lines: int
    clones: bool = True

    @property
    def name(self) -> str:
        """How results name it."""
        return f"{self.make}-{self.seed}{'' if self.clones else '-no-clones'}"

    @property
    def spec(self) -> CountrySpec | WandererSpec:
        """All its knobs."""
        if self.make == "wanderers":
            return WandererSpec(
                persons=round(self.lines / 1.17),
                seed=self.seed,
                clones=0.0012 if self.clones else 0.0,
                last_day=LAST_DAY,
            )
        return CountrySpec(
            subscribers=self.lines,
            months=3,
            last_day=LAST_DAY,
            seed=self.seed,
            tac_count=1500,
            rows_per_subscriber_month=18,
            habits=HABITS,
            wrongs=CLONES if self.clones else NO_CLONES,
            movement=Movement(),
        )

    @property
    def operators(self) -> tuple[tuple[str, str], ...]:
        """(id, PLMN) of each operator."""
        return tuple((f"operator{number}", f"1110{number}") for number in range(1, 5))

    def make_files(self, folder: Path, *, sighted: bool = True) -> "Made":
        """Writes the world; without `sighted` the same one, but for sightings, cells and fingerprints."""
        spec = self.spec
        if isinstance(spec, WandererSpec):
            spec = spec if sighted else replace(spec, sighted_days=0)
            files = {source: tuple(paths) for source, paths in write(spec, folder).items()}
            return Made(self, files, folder / "truth.parquet")
        if not sighted:
            spec = replace(spec, movement=None, sightings_per_operator=0)
        made = write_country(spec, folder)
        files = {source: (path,) for source, path in made.lists.items()}
        files["observations"] = tuple(path for _, path in made.observations)
        if not sighted:
            return Made(self, files, made.truth)
        files["sightings"] = tuple(
            sorted((p for _, p in made.sightings), key=lambda p: ("late" in p.name, p.name))
        )
        files["fingerprints"] = tuple(path for _, path in made.fingerprints)
        files["cells"] = (made.cells,)
        return Made(self, files, made.truth)


@dataclass(frozen=True)
class Made:
    """A written world."""

    world: World
    files: Mapping[str, Sequence[Path]]
    truth: Path

    def without_sightings(self) -> dict[str, Sequence[Path]]:
        """What there is where operators give daily aggregates only."""
        return {
            s: paths for s, paths in self.files.items() if s not in {"sightings", "cells", "fingerprints"}
        }


def sets(lines: int, seeds: int, without: int = 2) -> dict[str, tuple[World, ...]]:
    """The worlds of each purpose.

    Args:
        without: worlds without clones, of both makes in turn.
    """
    return {
        "A": tuple(World("country", 11 + n, lines) for n in range(seeds)),
        "B": tuple(World("country", 21 + n, lines) for n in range(seeds)),
        "second": tuple(World("wanderers", 31 + n, lines) for n in range(seeds)),
        "none": tuple(
            World(("country", "wanderers")[n % 2], 41 + n, lines, clones=False) for n in range(without)
        ),
    }


def sha256_of(worlds: Sequence[World]) -> str:
    """Fingerprint of all knobs of some worlds."""
    return hashlib.sha256("\n".join(repr(world.spec) for world in worlds).encode()).hexdigest()
