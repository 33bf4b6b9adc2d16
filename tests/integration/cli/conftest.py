import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ceir.cli.main import whole
from ceir.testing.country import CountryFiles, CountrySpec, write_country

BEFORE, LAST = date(2026, 9, 30), date(2026, 10, 31)


@dataclass(frozen=True)
class Ceir:
    """Types lines and looks at what comes back."""

    workspace: Path

    def type(self, *line: object, expect: int | None = 0, where: bool = True) -> Result:
        """Run a line; with `where` in the workspace; expecting an exit code, or any."""
        before = ["--workspace", str(self.workspace)] if where else []
        result = CliRunner().invoke(whole(), [*before, *map(str, line)])
        assert expect in (None, result.exit_code), result.output
        assert "Traceback" not in result.output
        return result

    def json(self, *line: object, expect: int | None = 0, where: bool = True) -> Any:
        """What a line says with --json; of a refused one what stands on stderr."""
        result = self.type(*line, "--json", expect=expect, where=where)
        return json.loads(result.stdout or result.stderr)

    def catalogue(self) -> dict[str, Any]:
        """What the workspace holds."""
        held: dict[str, Any] = json.loads((self.workspace / "catalogue.json").read_text())
        return held


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("WORKSPACE", "THREADS", "MEMORY_GB", "ENGINE", "SPARK_REMOTE", "WAIT_SECONDS"):
        monkeypatch.delenv(f"CEIR_{name}", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> CountryFiles:
    spec = CountrySpec(subscribers=2_000, months=2, last_day=LAST, tac_count=600, sightings_per_operator=200)
    return write_country(spec, tmp_path_factory.mktemp("country") / "files")


@pytest.fixture(scope="session")
def _ready(country: CountryFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a published run for each of two months, made as a person would make it."""
    ceir = Ceir(tmp_path_factory.mktemp("ready") / "workspace")
    ceir.type("init", ceir.workspace, where=False)
    for source, path in sorted(country.lists.items(), key=lambda item: item[0] != "tac"):
        ceir.type("ingest", source, path, "--received-on", BEFORE)
    months = [p for _, p in country.observations]
    for files, day in ((months[:4], BEFORE), (months[4:], LAST)):
        ceir.type("ingest", "observations", *files, "--received-on", day)
        ceir.type("run")
    return ceir.workspace


@pytest.fixture
def ready(_ready: Path, tmp_path: Path) -> Ceir:
    """A copy of the ready workspace, to be changed at will."""
    shutil.copytree(_ready, tmp_path / "workspace")
    return Ceir(tmp_path / "workspace")


@pytest.fixture
def fresh(tmp_path: Path) -> Ceir:
    """An empty workspace."""
    ceir = Ceir(tmp_path / "fresh")
    ceir.type("init", ceir.workspace, where=False)
    return ceir


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file to take in."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written
