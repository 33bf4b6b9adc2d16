"""One file being taken in: what every kind of source needs to know and gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ceir.pipeline.catalogue import Catalogue, Counts
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.ingest.opening import OpenedFile
from ceir.pipeline.ingest.parsing import Parser
from ceir.pipeline.progress import Progress
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import Source


@dataclass(frozen=True)
class Work:
    """A file under way.

    Args:
        received_on: day number.
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
    catalogue: Catalogue
    workspace: Workspace
    progress: Progress

    def number(self, sql: str) -> int:
        """A query's single number; null counts as 0."""
        value = self.engine.rows(sql)[0][0]
        return int(str(value)) if value is not None else 0

    def blank_lines(self) -> int:
        """Lines after the header with nothing on them."""
        return self.number(
            self.parser.lines_sql.replace("SELECT l", "SELECT count(*)", 1).replace(
                "WHERE l IS NOT NULL AND l <> ''", "WHERE l IS NULL OR l = ''"
            )
        )

    def rows_outside(self, first: int, last: int) -> int:
        """Rows kept of days that are not from `first` to `last`; the rows lie in the table `compact`."""
        return self.number(
            f"SELECT coalesce(sum(n), 0) FROM compact WHERE first_day < {first} OR last_day > {last}"
        )

    def save(self, sql: str, name: str) -> Path:
        """Write a result into the staging folder."""
        file = self.scratch / name
        self.engine.save_file(sql, file)
        return file


@dataclass(frozen=True)
class Stored:
    """What became of a file.

    Args:
        files: staged files by kind.
        measured: what its checks measured.
        list_rows: entries of the list after it; None: it is no list.
    """

    counts: Counts
    files: Mapping[str, tuple[Path, ...]]
    measured: dict[str, float | None]
    months: tuple[int, ...] = ()
    days: dict[str, dict[int, int]] = field(default_factory=dict)
    list_rows: int | None = None


def malformed_sql(table: str, columns: tuple[str, ...]) -> str:
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
