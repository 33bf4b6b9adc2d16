"""Lists that the register gives the pipeline: files of the sources that it takes in."""

import csv
import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from ceir.registry.project.configuring import APPS


@dataclass(frozen=True)
class Export:
    """A list as the pipeline takes it in.

    Args:
        source: name of the pipeline's source, like `stolen`.
        header: its documented columns.
        rows: texts by column, sorted, as they stand at a moment.
    """

    source: str
    doc: str
    header: tuple[str, ...]
    rows: Callable[[datetime], Iterator[tuple[str, ...]]]


@cache
def all_exports() -> Mapping[str, Export]:
    """Every export by its source: the `EXPORTS` of the module `exporting` of each application that has one.

    Raises:
        TypeError: two give the same source.
    """
    found: dict[str, Export] = {}
    for app in APPS:
        name = f"{app}.exporting"
        if importlib.util.find_spec(name) is None:
            continue
        for export in importlib.import_module(name).EXPORTS:
            if export.source in found:
                raise TypeError(f"{name} exports {export.source}, which another does already")
            found[export.source] = export
    return found


def write_exports(folder: Path, at: datetime) -> Mapping[str, int]:
    """Write every list as `SOURCE.csv`. Returns: rows of each."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for source, export in sorted(all_exports().items()):
        fresh = folder / f".{source}.csv.new"
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(export.header)
            counts[source] = 0
            for row in export.rows(at):
                writer.writerow(row)
                counts[source] += 1
        fresh.replace(folder / f"{source}.csv")
    return counts
