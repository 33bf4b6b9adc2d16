"""DuckDB: the engine that is always there."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from ceir.pipeline.engines.engine import (
    DiskFullError,
    EngineError,
    Limits,
    MemoryExceededError,
    empty_select,
    parquet_files,
)
from ceir.pipeline.progress import Step
from ceir.tables import Column

PARQUET = "FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2"
"""Version 2 pages delta-encode the sorted numbers: about half the size of version 1."""


NO_ROOM = ("no space left", "not enough space", "quota exceeded", "max_temp_directory_size")
"""In the engine's own words; the last is its bound on what it spills, by default the room on the disk."""


Kind = Literal["TABLE", "VIEW"]


class DuckEngine:
    """DuckDB in this process, spilling into the scratch folder.

    Args:
        limits: what it may use of the machine.
        ordered: keep the order of files' rows (needed to number lines); costs memory.
    """

    name = "duckdb"

    def __init__(self, limits: Limits, *, ordered: bool = False) -> None:
        limits.scratch.mkdir(parents=True, exist_ok=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(limits.scratch / "spill"),
            "preserve_insertion_order": ordered,
        }
        if limits.threads:
            config["threads"] = limits.threads
        if limits.memory_gb:
            config["memory_limit"] = f"{int(limits.memory_gb * 1000)}MB"
        self._connection = duckdb.connect(":memory:", config=config)
        self._kinds: dict[str, Kind] = {}

    def version(self) -> str:
        """Name and version, for manifests."""
        return f"duckdb {duckdb.__version__}"

    def files(self, name: str, paths: Sequence[Path], columns: Sequence[Column]) -> None:
        """Make Parquet files readable as a view with these columns."""
        found = [str(file) for path in paths for file in parquet_files(path)]
        if not found:
            self.view(name, empty_select(columns))
            return
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in found)
        wanted = ", ".join(f"CAST({c.name} AS {c.type}) AS {c.name}" for c in columns)
        self.view(name, f"SELECT {wanted} FROM read_parquet([{listed}], union_by_name = TRUE)")

    def view(self, name: str, sql: str) -> None:
        """Name a query."""
        self._make_way(name, "VIEW")
        self.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")

    def table(self, name: str, sql: str, step: Step | None = None, total: float = 0) -> None:
        """Compute a query once and keep its result under a name."""
        self._make_way(name, "TABLE")
        self.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}", step, total)

    def drop(self, name: str) -> None:
        """Forget a table and free its room."""
        self.execute(f"DROP TABLE IF EXISTS {name}")
        self._kinds.pop(name, None)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """All rows of a small result."""
        with _translated():
            return self._connection.execute(sql).fetchall()

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A result of any size, in its order."""
        with _translated():
            reader = self._connection.sql(sql).to_arrow_reader(122_880)
            assert reader is not None
            yield from reader

    def save(self, sql: str, folder: Path) -> None:
        """Write a result as one Parquet file into a new folder."""
        folder.mkdir(parents=True)
        self.save_file(sql, folder / "part-0.parquet")

    def save_file(self, sql: str, file: Path, step: Step | None = None, total: float = 0) -> None:
        """Write a result as one Parquet file."""
        target = str(file).replace("'", "''")
        self.execute(f"COPY ({sql}) TO '{target}' ({PARQUET})", step, total)

    def execute(self, sql: str, step: Step | None = None, total: float = 0) -> None:
        """Run a statement; with a step, tell it how far of `total` the engine is, ten times a second."""
        with _translated(), self._watched(step, total):
            self._connection.execute(sql)

    def close(self) -> None:
        """Free everything."""
        self._connection.close()

    def _make_way(self, name: str, kind: Kind) -> None:
        """Let go of what had the name if it was of the other kind: DuckDB replaces only like by like."""
        before = self._kinds.get(name, kind)
        if before != kind:
            self.execute(f"DROP {before} {name}")
        self._kinds[name] = kind

    @contextmanager
    def _watched(self, step: Step | None, total: float) -> Iterator[None]:
        if step is None:
            yield
            return
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.1):
                done = self._connection.query_progress()
                if done > 0:
                    step.at(total * min(done, 100.0) / 100.0)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()
        step.at(total)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the engine raises for the machine's state into our errors; mistakes of ours stay as they
    are."""
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        text = str(error)
        if any(sign in text.lower() for sign in NO_ROOM):
            raise DiskFullError(
                "The disk is full; nothing was changed.",
                "Free room on the workspace's disk, then run it again.",
            ) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise MemoryExceededError(
                "The work does not fit into the memory it may use.", "Give it more with --memory-gb."
            ) from error
        raise EngineError(f"A file could not be read or written: {text.splitlines()[0]}.") from error
