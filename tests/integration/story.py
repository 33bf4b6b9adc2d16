"""A small country's story, told to two engines side by side: every table and every list must agree."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify import Request, classify, running
from ceir.pipeline.engines import DuckEngine, Engine, Limits
from ceir.pipeline.ingest import Delivery, take_in, undo
from ceir.pipeline.ingest.checking import all_checks
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace
from ceir.policy import shipped_policies
from ceir.sources import source_named
from ceir.testing.country import CountryFiles, CountrySpec, write_country

LAST_DAY = date(2026, 10, 31)
NEXT_DAY = date(2026, 11, 1)
SUBSCRIBERS = 3_000
TABLES = ("verdicts", "ended", "evidence")

OpenEngine = Callable[[Path], Engine]
"""Opens the other engine with a scratch folder."""

Opener = Callable[[], Engine]


@dataclass(frozen=True)
class Pair:
    """Two workspaces that hold the same, one for each engine."""

    duck: Workspace
    other: Workspace


def write_small_country(folder: Path) -> CountryFiles:
    return write_country(CountrySpec(subscribers=SUBSCRIBERS, last_day=LAST_DAY), folder)


def make_pair(
    files: CountryFiles, policy: str, folder: Path, without_lists: frozenset[str] = frozenset()
) -> Pair:
    """Two copies of a workspace with the country taken in."""
    first = Workspace.create(folder / "duck", shipped_policies()[policy])
    for source, path in files.lists.items():
        if source not in without_lists:
            _take_in(first, source, path, LAST_DAY)
    for _, path in files.observations:
        _take_in(first, "observations", path, LAST_DAY)
    shutil.copytree(first.root, folder / "other")
    return Pair(first, Workspace.open(folder / "other"))


def tell_story(
    pair: Pair, files: CountryFiles, folder: Path, open_other: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first run; a run after a day, a small file and new lists, on what changed only; one after an undo."""
    open_both = _openers(pair, folder, open_other)
    first = assert_same_run(pair, LAST_DAY, "full", open_both)
    assert_same_lists(pair, open_both)
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)  # in a small country nearly everything is touched
    later = assert_same_changed_run(pair, files, folder, open_both)
    assert_same_lists(pair, open_both)
    for workspace in (pair.duck, pair.other):
        last = max(i.id for i in workspace.catalogue().live if i.source == "observations")
        undo(workspace, last, "it was a mistake", Limits(workspace.scratch))
    undone = assert_same_run(pair, NEXT_DAY, "changed", open_both)
    assert_same_lists(pair, open_both)
    assert first.verdicts != later.verdicts != undone.verdicts, "something happened in each chapter"


def tell_story_briefly(
    pair: Pair, files: CountryFiles, folder: Path, open_other: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first two runs, and the lists of the second."""
    open_both = _openers(pair, folder, open_other)
    assert_same_run(pair, LAST_DAY, "full", open_both)
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    assert_same_changed_run(pair, files, folder, open_both)
    assert_same_lists(pair, open_both)


def assert_first_runs_agree(pair: Pair, folder: Path, open_other: OpenEngine) -> None:
    """Classify and publish once on both, and compare everything they wrote."""
    open_both = _openers(pair, folder, open_other)
    assert_same_run(pair, LAST_DAY, "full", open_both)
    assert_same_lists(pair, open_both)


def assert_same_changed_run(
    pair: Pair, files: CountryFiles, folder: Path, open_both: tuple[Opener, Opener]
) -> Run:
    """A day later, with a small file and new lists: only what changed is looked at."""
    changes = _write_changes(files, folder / "changes")
    for workspace in (pair.duck, pair.other):
        for source, path in changes.items():
            _take_in(workspace, source, path, NEXT_DAY)
    run = assert_same_run(pair, NEXT_DAY, "changed", open_both)
    assert read(pair.duck.path(f"runs/{run.id:05d}/ended")).num_rows
    return run


def assert_same_run(pair: Pair, day: date, mode: str, open_both: tuple[Opener, Opener]) -> Run:
    runs = []
    for workspace, opened in zip((pair.duck, pair.other), open_both, strict=True):
        accepted = dict.fromkeys(workspace.policy()[0].conditions, "a small country")
        with closing(opened()) as engine:
            run, is_new = classify(workspace, Request(as_of=day, accepted=accepted), engine)
        assert is_new
        assert run.mode == mode
        runs.append(run)
    duck, other = runs
    assert_same_tables(pair, duck)
    assert duck.model_dump(exclude={"engine"}) == other.model_dump(exclude={"engine"})
    assert duck.verdicts > 100
    return duck


def assert_same_lists(pair: Pair, open_both: tuple[Opener, Opener]) -> None:
    digests = []
    for workspace, opened in zip((pair.duck, pair.other), open_both, strict=True):
        with closing(opened()) as engine:
            _, publication, is_new = publish(workspace, PublishRequest(), engine)
        assert is_new
        assert any(publication.rows.values())
        digests.append((publication.rows, publication.sha256))
    assert digests[0] == digests[1]


def _openers(pair: Pair, folder: Path, open_other: OpenEngine) -> tuple[Opener, Opener]:
    return (lambda: DuckEngine(Limits(pair.duck.scratch))), (lambda: open_other(folder / "scratch"))


def assert_same_tables(pair: Pair, run: Run) -> None:
    devices = pair.duck.catalogue().devices
    assert devices is not None
    for place in (devices.path, *(f"runs/{run.id:05d}/{name}" for name in TABLES)):
        ours, theirs = read(pair.duck.path(place)), read(pair.other.path(place))
        assert theirs.schema.names == ours.schema.names, place
        assert theirs.schema.types == ours.schema.types, place
        assert theirs.num_rows == ours.num_rows, place
        for number, (one, two) in enumerate(zip(ours.to_pylist(), theirs.to_pylist(), strict=True)):
            assert two == one, f"{place}, row {number}"


def read(folder: Path) -> pa.Table:
    """The rows of a folder in the order of its files."""
    return pa.concat_tables(
        [pq.ParquetFile(file).read() for file in sorted(folder.glob("*.parquet"))],
        promote_options="permissive",
    )


def _take_in(workspace: Workspace, source: str, path: Path, day: date) -> None:
    accepted = {check.name: "a small country" for check in all_checks(source_named(source))}
    take_in(workspace, Delivery(source, path, day, accepted=accepted), Limits(workspace.scratch))


def _write_changes(files: CountryFiles, folder: Path) -> dict[str, Path]:
    """A day of one operator, and lists of which entries came, went and changed."""
    folder.mkdir(parents=True)
    operator, month = files.observations[-4]
    rows = month.read_text().splitlines()
    first = rows[1].split(",")
    day = f"{NEXT_DAY:%Y%m%d}"
    shared = [f"{day},{first[1]},1110198765{n:05d},22112233{n:04d},006" for n in range(12)]
    odd = [f"{day},00100199123456,111019876500001,221122330001,", f"{day},35ABC,111019876500002,,006"]
    seen = [day + row[8:] for row in rows[1:60]]
    texts = {"observations": [rows[0], *shared, *odd, *seen]}
    for source in ("stolen", "subscribers", "tac", "type-approvals", "registrations", "associations"):
        lines = files.lists[source].read_text().splitlines()
        texts[source] = [lines[0], *lines[20:]]
    texts["stolen"] += [f"{first[1]},20261030,"]
    names = {"observations": f"{operator}_{day}_{day}.csv", "tac": "tac.txt"}
    paths = {}
    for source, lines in texts.items():
        paths[source] = folder / names.get(source, f"{source}.csv")
        paths[source].write_text("\n".join(lines) + "\n")
    return paths
