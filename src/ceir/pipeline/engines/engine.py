"""What the pipeline asks of an engine, whichever it is.

All SQL given to an engine is the portable subset of DuckDB's dialect that SQLGlot translates faithfully:
equi-joins, GROUP BY, CASE, bit operations and BIT_OR/BIT_COUNT on signed integers, days as integers; no
as-of or range joins, no unsigned types, no lists, no time functions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from ceir.errors import CeirError
from ceir.tables import Column


class EngineError(CeirError):
    """The engine could not do its work for a reason outside the data."""

    code = "engine_failed"


class DiskFullError(EngineError):
    """There is no room left for intermediate or final files."""

    code = "disk_full"


class MemoryExceededError(EngineError):
    """The work does not fit into the memory it was given."""

    code = "memory_exceeded"


@dataclass(frozen=True)
class Limits:
    """What an engine may use of the machine.

    Args:
        threads: worker threads; None: all cores.
        memory_gb: memory before it spills to `scratch`; None: the engine's own default.
    """

    scratch: Path
    threads: int | None = None
    memory_gb: float | None = None


class Engine(Protocol):
    """A place where portable SQL runs over Parquet files.

    A name stands for what it was given last, view or table: one engine can do the work of several commands.
    No query reads the name that it is given.
    """

    name: str

    def version(self) -> str:
        """Name and version, for manifests."""

    def files(self, name: str, paths: Sequence[Path], columns: Sequence[Column]) -> None:
        """Make Parquet files (or folders of them) readable as a view with these columns; no paths: empty."""

    def view(self, name: str, sql: str) -> None:
        """Name a query."""

    def table(self, name: str, sql: str) -> None:
        """Compute a query once and keep its result under a name."""

    def drop(self, name: str) -> None:
        """Forget a table made with `table` and free its room."""

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """All rows of a small result."""

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A result of any size, in its order."""

    def save(self, sql: str, folder: Path) -> None:
        """Write a result as Parquet files into a new folder."""

    def close(self) -> None:
        """Free everything."""


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files that a path stands for: itself, or those of the folder, sorted."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def empty_select(columns: Sequence[Column]) -> str:
    """A query with these columns and no rows."""
    return "SELECT " + ", ".join(f"CAST(NULL AS {c.type}) AS {c.name}" for c in columns) + " WHERE 1 = 0"
