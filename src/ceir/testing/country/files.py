"""Writes a whole country: observation files, reference lists, sightings and the hidden truth."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ceir.testing.country import lists, text
from ceir.testing.country.models import tac_list
from ceir.testing.country.moving import MovementFiles, placed_cells
from ceir.testing.country.observations import ObservationFiles
from ceir.testing.country.people import fleets, make_lines, roamers, tell_stories
from ceir.testing.country.sightings import SightingFiles, cell_rows
from ceir.testing.country.spec import CountryFolderNotEmptyError, CountrySpec
from ceir.testing.country.truth import LABELS, STORIES, TruthFile
from ceir.testing.country.uses import ListRows, Uses
from ceir.testing.country.world import Spare, World, make_world
from ceir.testing.country.wrongdoing import do_wrong, sim_boxes

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how much of it is done and how much there is."""


@dataclass(frozen=True)
class CountryFiles:
    """Where the files of a country are and what they hold."""

    folder: Path
    observations: tuple[tuple[str, Path], ...]
    """(operator, file), by month and then by operator."""
    lists: Mapping[str, Path]
    """The file of each reference source: tac, stolen, stolen-foreign, registrations, pairings, golden,
    barred, barred-tacs, monitored, subscribers, associations, type-approvals, imports; `scrapped` only where
    scrapped devices are copied."""
    sightings: tuple[tuple[str, Path], ...]
    """(operator, file); empty if the spec wants none."""
    fingerprints: tuple[tuple[str, Path], ...]
    """(operator, file); empty unless the spec wants detailed movement."""
    cells: Path
    truth: Path
    counts: Mapping[str, int]
    """Rows of each source (`observations` and `sightings` over all files)."""
    labels: Mapping[str, int]
    """Uses in the truth of each label."""
    stories: Mapping[str, int]
    """Uses in the truth of each circumstance."""


def write_country(spec: CountrySpec, out: Path, progress: Progress | None = None) -> CountryFiles:
    """Writes all files of a synthetic country.

    Equal specs give equal bytes. Memory is bounded by `spec.chunk_subscribers`, not by the country.

    Args:
        spec: the country.
        out: a folder that does not exist or is empty.
        progress: told about each finished chunk.

    Raises:
        CountryFolderNotEmptyError: `out` holds something.
        CountrySpecError: the spec's numbers do not go together.
    """
    if out.exists() and any(out.iterdir()):
        raise CountryFolderNotEmptyError(
            f"The folder {out.name} is not empty.", "Name a new or empty folder."
        )
    folders = {name: out / name for name in ("observations", "lists", "sightings")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    world = make_world(spec)
    with ExitStack() as stack:
        observations = stack.enter_context(ObservationFiles(world, folders["observations"]))
        reference = stack.enter_context(_ListFiles(world, folders["lists"]))
        truth = stack.enter_context(TruthFile(world, out / "truth.parquet"))
        sightings: SightingFiles | MovementFiles | None = None
        if spec.movement:
            sightings = stack.enter_context(MovementFiles(world, folders["sightings"], spec.movement))
        elif spec.sightings_per_operator:
            sightings = stack.enter_context(SightingFiles(world, folders["sightings"]))
        reference.add(lists.country_rows(world))
        total = spec.subscribers
        for low in range(0, total, spec.chunk_subscribers):
            high = min(low + spec.chunk_subscribers, total)
            uses, rows = _chunk(world, low, high)
            truth.write(uses, observations.write(uses))
            if sightings:
                sightings.write(uses)
            reference.add(rows)
            if progress:
                progress("observations", high, total)
        reference.fill_registrations(progress)
    tacs = folders["lists"] / "tac.txt"
    tacs.write_text(tac_list(world.catalogue, world.draws), encoding="utf-8", newline="\n")
    cells = out / "cells.csv"
    lines = placed_cells(world, spec.movement) if spec.movement else cell_rows(world)
    cells.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    if not sightings and not spec.sightings_per_operator:
        folders["sightings"].rmdir()
    counts = {"observations": observations.rows, "tac": len(world.catalogue.tac), **reference.counts}
    return CountryFiles(
        folder=out,
        observations=tuple(observations.paths),
        lists={"tac": tacs, **reference.paths},
        sightings=tuple(sightings.paths) if sightings else (),
        fingerprints=tuple(sightings.fingerprints.paths) if isinstance(sightings, MovementFiles) else (),
        cells=cells,
        truth=out / "truth.parquet",
        counts={**counts, "sightings": sightings.rows if sightings else 0},
        labels=dict(zip(LABELS, truth.labels.tolist(), strict=True)),
        stories=dict(zip(STORIES, truth.stories.tolist(), strict=True)),
    )


def _chunk(world: World, low: int, high: int) -> tuple[Uses, Iterable[ListRows]]:
    """All uses that begin with the subscribers `low` .. `high`-1, and what the lists say."""
    lines = make_lines(world, low, high)
    fleets(world, lines)
    do_wrong(world, lines)
    tell_stories(world, lines)
    boxes = sim_boxes(world, low, high)
    main = lines.use(slice(None))
    uses = Uses.together([main, *lines.more, *boxes, *roamers(world, low, high)])
    return _shuffled(world, uses), lists.chunk_rows(world, lines, boxes, low, high)


def _shuffled(world: World, uses: Uses) -> Uses:
    """In an order that tells nothing about who is who."""
    order = world.draws.words("order", uses.identity.astype("int64")).argsort(kind="stable")
    return uses.where(order)


class _ListFiles:
    """One open file a reference source."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        headers = lists.headers(world.spec)
        self.paths = {source: folder / f"{source}.csv" for source in headers}
        self.counts = dict.fromkeys(headers, 0)
        self._stack = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        for source, path in self.paths.items():
            self._files[source] = self._stack.enter_context(path.open("wb"))
            self._files[source].write(f"{headers[source]}\n".encode())

    def __enter__(self) -> "_ListFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, parts: Iterable[ListRows]) -> None:
        """Appends rows; registrations only as many as the spec wants."""
        wanted = self.world.spec.registrations
        for part in parts:
            rows = text.rows(part.fields)
            if part.source == "registrations" and wanted is not None:
                rows = rows[: wanted - self.counts["registrations"]]
            self._files[part.source].write(text.packed(rows))
            self.counts[part.source] += len(rows)

    def fill_registrations(self, progress: Progress | None) -> None:
        """Adds unsold devices: the usual share, or as many as the exact size still lacks."""
        missing = self.world.census.spare_size(Spare.UNSOLD)
        if self.world.spec.registrations is not None:
            missing -= self.counts["registrations"]
        step = self.world.spec.chunk_subscribers
        for first in range(0, missing, step):
            count = min(step, missing - first)
            self.add([lists.unsold_rows(self.world, first, count)])
            if progress:
                progress("registrations", first + count, missing)
