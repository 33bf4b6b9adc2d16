"""One file being taken in: what every kind of source needs to know and gives back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ceir.pipeline.catalogue import Catalogue, Counts
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.engines.engine import EngineError
from ceir.pipeline.ingest.opening import OpenedFile
from ceir.pipeline.ingest.parsing import Parser
from ceir.pipeline.progress import Progress
from ceir.pipeline.workspace import Workspace, WorkspaceError
from ceir.policy import Policy
from ceir.sources import Source


@dataclass(frozen=True)
class Work:
    """A file under way.

    Args:
        received_on: day number.
        named_days: first and last day that the file's name speaks of; None: its source's names have none.
    """

    source: Source
    policy: Policy
    operator: str | None
    delta: bool
    opened: OpenedFile
    parser: Parser
    engine: DuckEngine
    scratch: Path
    received_on: int
    named_days: tuple[int, int] | None
    catalogue: Catalogue
    workspace: Workspace
    progress: Progress

    def number(self, sql: str) -> int:
        """A query's single number; null counts as 0."""
        value = self.engine.rows(sql)[0][0]
        return int(str(value)) if value is not None else 0

    def save(self, sql: str, name: str) -> Path:
        """Write a result into the staging folder."""
        file = self.scratch / name
        self.engine.save_file(sql, file)
        return file


@dataclass(frozen=True)
class Read:
    """What a file holds, told before anything of it is stored.

    Args:
        measured: what its checks measured.
        list_rows: entries of the list after it; None: it is no list.
        torn: rows of keys that contradict themselves were set apart.
    """

    counts: Counts
    measured: dict[str, float | None]
    months: tuple[int, ...] = ()
    days: dict[str, dict[int, int]] = field(default_factory=dict)
    list_rows: int | None = None
    torn: bool = False


@contextmanager
def nothing_left_behind(workspace: Workspace) -> Iterator[None]:
    """Take away what was moved into place when it does not come into force."""
    try:
        yield
    except (EngineError, WorkspaceError):
        workspace.sweep()
        raise


def share(part: int, whole: int) -> float | None:
    """A share for a check; of nothing there is none."""
    return part / whole if whole else None


def save_malformed(work: Work, table: str, columns: tuple[str, ...]) -> tuple[Path, ...]:
    """Stage the malformed identities in columns of a table, if there are any."""
    if not any(work.number(f"SELECT count(*) FROM {table} WHERE {c} < 0") for c in columns):
        return ()
    return (work.save(_malformed_sql(table, columns), "malformed.parquet"),)


def _malformed_sql(table: str, columns: tuple[str, ...]) -> str:
    """SELECT of the malformed identities in a table: key, text, TAC and reporting body where it has them."""
    pairs = " UNION ".join(
        f"SELECT {c} AS imei, {c}_text AS text FROM {table} WHERE {c} < 0" for c in columns
    )
    return (
        "SELECT DISTINCT imei, text, "
        "CASE WHEN regexp_matches(text, '^[0-9]{8}') THEN CAST(substr(text, 1, 8) AS INTEGER) END AS tac, "
        "CASE WHEN regexp_matches(text, '^[0-9]{2}') THEN CAST(substr(text, 1, 2) AS INTEGER) END "
        f"AS reporting_body FROM ({pairs}) ORDER BY imei"
    )
