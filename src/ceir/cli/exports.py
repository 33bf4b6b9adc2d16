from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._ingesting import data_of, deliveries, show_outcomes, take_all
from ceir.cli._outside import require_outside
from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go; made if it is not there.")]
Ingest = Annotated[
    bool, typer.Option("--ingest", help="Take the files into the workspace as well, ready for `ceir run`.")
]
Outgoing = Annotated[
    bool,
    typer.Option(
        "--outgoing",
        help="Write what operators are to obey instead: DIR is new or empty, and whole at its end.",
    ),
]


def exports(session: Session, folder: Folder, ingest: Ingest = False, outgoing: Outgoing = False) -> None:
    """Write the register's lists as files."""
    if ingest and outgoing:
        raise UsageError("What goes out is not taken in.", "Give --ingest or --outgoing.")
    require_outside(session, folder, "ceir exports exports")
    open_register(session)
    if outgoing:
        _outgoing(session, folder)
        return
    from ceir.registry.exports import all_exports, write_exports  # noqa: PLC0415 - Django is set up only now

    counts = write_exports(folder, session.now)
    told: dict[str, object] = {"folder": folder, "rows": counts}
    docs = {source: export.doc for source, export in all_exports().items()}
    session.say(
        table(
            f"{len(counts)} lists in {folder}",
            ("source", "rows", "what"),
            [(source, rows, docs[source]) for source, rows in counts.items()],
        )
    )
    if not ingest:
        session.data(told)
        session.say_whole(
            f"\nNext: ceir exports {folder} --ingest, or ceir ingest SOURCE {folder}/SOURCE.csv"
        )
        return
    with session.changing() as workspace:
        asked = [
            one for source in counts for one in deliveries(source, [folder / f"{source}.csv"], session.today)
        ]
        outcomes = take_all(session, workspace, asked)
        session.data({**told, "ingests": [data_of(workspace, one) for one in outcomes]})
        show_outcomes(session, workspace, outcomes, all_checks=False)
    errors = [one.error for one in outcomes if one.error is not None]
    if errors:
        raise typer.Exit(min(error.exit_code for error in errors))


def _outgoing(session: Session, folder: Path) -> None:
    from ceir.registry.actors import SYSTEM, OrganisationKind  # noqa: PLC0415 - Django is set up only now
    from ceir.registry.organisations.models import Organisation  # noqa: PLC0415
    from ceir.registry.releases.outgoing import write_outgoing  # noqa: PLC0415

    operators = Organisation.objects.filter(kind=OrganisationKind.OPERATOR.value)
    rows = write_outgoing(folder, operators.values_list("code", flat=True), actor=SYSTEM, at=session.now)
    session.data({"folder": folder, "rows": rows})
    session.say(table(f"{len(rows)} lists in {folder}", ("file", "rows"), list(rows.items())))


COMMAND = Command(
    name="exports",
    panel=Panel.FILES,
    place=60,
    purpose="Write the register's lists as files for the pipeline.",
    explanation="What people told the register (stolen devices, registrations, pairings, approvals ...) as "
    "the files that the pipeline takes in like any others. Each is written whole and then put in its place. "
    "With --outgoing: what operators are to obey, by the stages of releases and the overrides in force.",
    examples=(
        Example("ceir exports exports --ingest", "write them, and take them in for the next run"),
        Example("ceir exports out/today --outgoing", "what operators are to obey"),
    ),
    function=exports,
    uses="change",
    computes=True,
    exits={0: "written, and taken in if asked for", 1: "a list was refused, or there is nothing to write"},
)
