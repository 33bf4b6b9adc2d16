import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._demo_country import MARK, Part, make_files, may_replace, parts_of, spec_for
from ceir.cli._demo_summary import Demonstration, show_summary, summary_data
from ceir.cli._demo_truth import score
from ceir.cli._ingesting import Outcome, take_all
from ceir.cli._policies import policy_path
from ceir.cli._running import classify_now, publish_now
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.catalogue import Publication, Run
from ceir.pipeline.explaining import Explanation, explain
from ceir.pipeline.workspace import Workspace, WorkspaceExistsError, disk_errors
from ceir.policy import load_policy
from ceir.testing.country import CountrySpec, CountrySpecError, Label, find_example

SHOWN = (Label.RAT_MISMATCH, Label.CLONE_CLUSTER, Label.STOLEN, Label.MALFORMED)
"""Whose verdict is explained: the first of these that the policy has one for."""


def demo(
    session: Session,
    subscribers: Annotated[
        int, typer.Option("--subscribers", metavar="N", help="Size of the country, 500 or more.")
    ] = CountrySpec.subscribers,
    months: Annotated[
        int, typer.Option("--months", metavar="N", help="Months of observations, 1 to 36; 2 show changes.")
    ] = CountrySpec.months,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where to put everything; a new or empty folder.")
    ] = Path("ceir-demo"),
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Delete what an earlier demonstration left there.", show_default=False
        ),
    ] = False,
    policy: Annotated[
        str, typer.Option("--policy", metavar="PATH|NAME", help="The policy to obey, by path or name.")
    ] = "examplia",
) -> None:
    """Show everything once."""
    began = time.perf_counter()
    source = policy_path(policy)
    loaded, _ = load_policy(source)
    spec = spec_for(loaded, subscribers, months)
    _prepare(folder, replace=replace)
    session.unfinished = f"What was made so far lies in {folder}; begin anew with --replace."
    with _told(session, f"Made a country of {subscribers:,} subscribers and {months} months"):
        files = make_files(session, spec, folder / "files")
    workspace = Workspace.create(folder / "workspace", source)
    outcomes: list[Outcome] = []
    with session.changing(workspace):
        for part in parts_of(files, spec):
            outcomes += _take(session, workspace, part)
            run, publication = _run(session, workspace, part)
    with session.reader() as engine:
        scored = score(engine, workspace, loaded, run, files.truth)
    done = Demonstration(
        folder,
        workspace,
        loaded,
        tuple(outcomes),
        run,
        publication,
        scored,
        _explained(session, workspace, files.truth),
        time.perf_counter() - began,
    )
    session.data(summary_data(done))
    show_summary(session, done)


def _prepare(folder: Path, *, replace: bool) -> None:
    with disk_errors():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            if not replace:
                raise WorkspaceExistsError(
                    f"{folder} exists and is not an empty folder.",
                    "Name another with --dir DIR, or give --replace to make an earlier demonstration anew.",
                )
            may_replace(folder)
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("Made by `ceir demo`; nothing in it is real. `--replace` deletes it.\n")


def _take(session: Session, workspace: Workspace, part: Part) -> tuple[Outcome, ...]:
    with _told(session, f"Took in {len(part.deliveries)} files that came by {part.as_of.isoformat()}"):
        outcomes = take_all(session, workspace, part.deliveries)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
    return outcomes


def _run(session: Session, workspace: Workspace, part: Part) -> tuple[Run, Publication]:
    with _told(session, f"Classified and published as of {part.as_of.isoformat()}"):
        classify_now(session, workspace, part.as_of)
        run, publication, _ = publish_now(session, workspace, part.as_of)
    return run, publication


def _explained(session: Session, workspace: Workspace, truth: Path) -> Explanation | None:
    """The first example that has a verdict; None: the country or the policy has none."""
    for label in SHOWN:
        try:
            imei = find_example(truth, label).imei
        except CountrySpecError:
            continue
        with session.reader() as engine:
            found = explain(workspace, imei, engine)
        if found.verdicts:
            return found
    return None


@contextmanager
def _told(session: Session, what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    session.say(f"✓ {what} ({time.perf_counter() - began:.1f} s)")


COMMAND = Command(
    name="demo",
    panel=Panel.BEGIN,
    place=1,
    purpose="Make a synthetic country and show everything once.",
    explanation="Writes the files that operators and authorities of a made-up country would send, takes them "
    "in, classifies and publishes twice, a month apart, and explains one verdict. As the truth behind the "
    "files is known, it tells how much was found. Nothing in it is about real people or devices.",
    examples=(
        Example("ceir demo", "200,000 subscribers and 3 months into ./ceir-demo"),
        Example("ceir demo --subscribers 5000 --dir small", "a small one, in seconds"),
        Example("ceir demo --policy dirbs-sample --replace", "under another policy"),
    ),
    function=demo,
    uses="nothing",
    computes=True,
)
