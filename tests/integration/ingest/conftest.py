import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from ceir.pipeline.catalogue import Ingest
from ceir.pipeline.engines import Limits
from ceir.pipeline.ingest import Delivery, take_in, undo
from ceir.pipeline.ingest.checking import all_checks
from ceir.pipeline.workspace import Workspace
from ceir.policy import shipped_policies
from ceir.sources import source_named

TODAY = date(2026, 11, 1)
OCTOBER = "operator1_20261001_20261031.csv"
OBSERVED = "date,imei,imsi,msisdn,rat\n"
MEANINGLESS = frozenset({"lock", "tmp"})
"""Top-level entries of a workspace that nobody ever reads."""

Row = tuple[object, ...]


class SetApart(NamedTuple):
    """A quarantined row."""

    file: str
    line: int
    column: str
    reason: str
    text: str


def tree(root: Path) -> dict[str, str]:
    """Every file and folder of a workspace that means something, with the hash of its content."""
    found = {}
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if relative.parts[0] not in MEANINGLESS:
            content = b"folder" if path.is_dir() else path.read_bytes()
            found[str(relative)] = hashlib.sha256(content).hexdigest()
    return found


def waived(source: str) -> dict[str, str]:
    """All checks of a source accepted: for tests that are about something else."""
    return {check.name: "made up" for check in all_checks(source_named(source))}


READER = duckdb.connect(":memory:", config={"threads": 1})
"""Opening one for each question would cost more than the question."""


def query(sql: str) -> list[Row]:
    return READER.execute(sql).fetchall()


@dataclass
class Desk:
    """Where deliveries arrive, and the workspace that takes them in."""

    workspace: Workspace
    inbox: Path
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.workspace.scratch, threads=1)
        self.inbox.mkdir(parents=True, exist_ok=True)

    @classmethod
    def at(cls, folder: Path, policy: Path | None = None) -> "Desk":
        return cls(
            Workspace.create(folder / "workspace", policy or shipped_policies()["examplia"]), folder / "inbox"
        )

    def put(self, content: str | bytes, name: str) -> Path:
        """Leave a file in the inbox."""
        path = self.inbox / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take(
        self,
        source: str,
        content: str | bytes | Path,
        *,
        name: str | None = None,
        on: date = TODAY,
        delta: bool = False,
        operator: str | None = None,
        accepted: Mapping[str, str] | None = None,
    ) -> Ingest:
        """Take a file in, whatever its checks say unless told which are accepted."""
        if not isinstance(content, Path):
            content = self.put(content, name or (OCTOBER if source == "observations" else f"{source}.csv"))
        delivery = Delivery(
            source,
            content,
            on,
            operator=operator,
            delta=delta,
            accepted=waived(source) if accepted is None else accepted,
        )
        return take_in(self.workspace, delivery, self.limits)

    def strictly(self, source: str, content: str | bytes, *, name: str | None = None) -> Ingest:
        """Take a file in that must pass all its checks."""
        return self.take(source, content, name=name, accepted={})

    def undo(self, ingest: Ingest) -> Ingest:
        return undo(self.workspace, ingest.id, "a test", self.limits)

    def rows(self, ingest: Ingest, columns: str = "*") -> list[Row]:
        """What is stored of an ingest."""
        files = [str(self.workspace.path(p)) for p in ingest.files.get("data", ())]
        return query(f"SELECT {columns} FROM read_parquet({files}) ORDER BY ALL") if files else []

    def entries(self, source: str, columns: str = "*") -> list[Row]:
        """The current entries of a list."""
        path = self.workspace.path(self.workspace.catalogue().lists[source].path)
        return query(f"SELECT {columns} FROM '{path}' ORDER BY ALL")

    def malformed(self, ingest: Ingest) -> list[Row]:
        files = [str(self.workspace.path(p)) for p in ingest.files.get("malformed", ())]
        return query(f"SELECT * FROM read_parquet({files}) ORDER BY text") if files else []

    def quarantined(self, ingest: Ingest) -> list[SetApart]:
        """The rows set apart, which must be the same for machines and for people."""
        if "quarantine" not in ingest.files:
            return []
        parquet, csv = (self.workspace.path(p) for p in ingest.files["quarantine"])
        machines = query(f"SELECT * FROM '{parquet}' ORDER BY line")
        people = query(
            f"SELECT * FROM read_csv('{csv}', header = TRUE, all_varchar = TRUE, auto_detect = FALSE, "
            "columns = {'file': 'VARCHAR', 'line': 'BIGINT', 'column': 'VARCHAR', 'reason': 'VARCHAR', "
            "'text': 'VARCHAR'}) ORDER BY line"
        )
        assert machines == people
        return [SetApart(*row) for row in machines]  # type: ignore[arg-type]  # five columns of known types

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """What is done here must leave no trace in the workspace."""
        before = tree(self.workspace.root)
        yield
        assert tree(self.workspace.root) == before
        assert not list(self.workspace.scratch.iterdir())


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls the plug here; waiting for the disk would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk.at(tmp_path)
