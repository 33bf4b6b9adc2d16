from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._ingesting import data_of, deliveries, show_outcomes, take_all
from ceir.cli._options import Because, day, paired
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.pipeline.ingest import undo
from ceir.pipeline.merging import merge
from ceir.sources import source_named

UNDO = "undo"


def ingest(
    session: Session,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="What the files hold (see: ceir sources), or `undo`.",
            show_default=False,
        ),
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", help="Plain, .gz, .zst or .zip; after `undo`: the id.", show_default=False
        ),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option(
            "--operator",
            metavar="ID",
            help="Whose files they are; otherwise the first part of each name.",
            show_default=False,
        ),
    ] = None,
    delta: Annotated[
        bool,
        typer.Option("--delta", help="They change the list instead of replacing it.", show_default=False),
    ] = False,
    received_on: Annotated[
        date | None,
        typer.Option(
            "--received-on",
            parser=day,
            metavar="DATE",
            help="The day they count as received, YYYY-MM-DD (today).",
            show_default=False,
        ),
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="CHECK",
            help="Take them although this check fails; needs --because.",
            show_default=False,
        ),
    ] = None,
    because: Because = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List what was ingested so far.", show_default=False)
    ] = False,
) -> None:
    """Take files in, list them, or take one back."""
    if listed:
        _list(session)
        return
    if source is None:
        raise UsageError("What do the files hold?", "ceir ingest SOURCE FILE...  Sources: ceir sources")
    if source == UNDO:
        _undo(session, files or [], because or [])
        return
    source_named(source)
    if not files:
        raise UsageError(f"There are no files of {source} to take in.", f"ceir ingest {source} FILE...")
    accepted = paired(accept, because)
    day_received = received_on or session.today
    with session.changing() as workspace:
        outcomes = take_all(
            session, workspace, deliveries(source, files, day_received, operator, delta, accepted)
        )
        if source == "observations" and any(o.state == "taken" for o in outcomes):
            merge(workspace, session.limits(workspace), session.progress)
        session.data({"files": [data_of(workspace, o) for o in outcomes]})
        show_outcomes(session, workspace, outcomes, all_checks=len(outcomes) == 1)
    errors = [o.error for o in outcomes if o.error is not None]
    if errors:
        raise typer.Exit(min(e.exit_code for e in errors))


def _list(session: Session) -> None:
    catalogue = session.workspace().catalogue()
    session.data([i.model_dump(mode="json", exclude={"days", "files"}) for i in catalogue.ingests])
    session.say(
        table(
            f"{len(catalogue.ingests)} ingests",
            ("id", "file", "source", "kept", "quarantined"),
            [
                (
                    i.id,
                    i.file if i.state == "live" else f"{i.file}\nundone: {i.undone_because}",
                    i.source + (" delta" if i.delta else ""),
                    i.counts.kept,
                    i.counts.quarantined,
                )
                for i in catalogue.ingests
            ],
        )
    )


def _undo(session: Session, given: list[Path], because: list[str]) -> None:
    if len(given) != 1 or not str(given[0]).isdecimal():
        raise UsageError("Which ingest is to be undone?", "ceir ingest undo ID --because TEXT; ids: --list")
    if len(because) != 1 or not because[0].strip():
        raise UsageError("An ingest is undone for a reason.", "Give it: --because TEXT")
    with session.changing() as workspace:
        record = undo(
            workspace, int(str(given[0])), because[0].strip(), session.limits(workspace), session.progress
        )
    session.data(record.model_dump(mode="json", exclude={"days", "files"}))
    session.say(f"Ingest {record.id} ({record.file}) was undone: {record.undone_because}.")
    session.say("Its rows are gone from the lake. Classify again to see what follows: ceir run")


COMMAND = Command(
    name="ingest",
    panel=Panel.FILES,
    purpose="Take operators' files and reference lists in, or take one back.",
    explanation="Each file is an ingest of its own: read, checked against its limits and stored, all or "
    "nothing. A refused file does not stop the others. Rows that cannot be read are kept apart with line and "
    "reason. The same file again changes nothing.\n\n"
    "ceir ingest undo ID --because TEXT takes an ingest back completely; --list shows the ids.",
    examples=(
        Example(
            "ceir ingest observations operator1_*.csv.gz", "files named after their operator and their days"
        ),
        Example("ceir ingest stolen stolen.csv", "a whole list replaces the one before"),
        Example("ceir ingest stolen changes.csv --delta", "a delta changes it"),
        Example(
            "ceir ingest tac tac.txt --accept shrunk_by --because 'GSMA removed test TACs'",
            "somebody decided that a failed check is no fault",
        ),
        Example("ceir ingest --list", "what was ingested so far"),
        Example("ceir ingest undo 7 --because 'file of another month'", "a wrong file leaves again"),
    ),
    function=ingest,
    uses="change",
    computes=True,
    exits={
        0: "all files taken in, or known already",
        1: "a file was refused",
        2: "wrong use; nothing was tried",
    },
)
