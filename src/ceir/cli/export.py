from pathlib import Path
from typing import Annotated, Literal

import typer

from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.exporting import export_verdicts


def export(
    session: Session,
    what: Annotated[Literal["verdicts"], typer.Argument(help="What to export.")],  # noqa: ARG001 - the only one
    out: Annotated[Path, typer.Option("--out", metavar="FILE.csv", help="The file to write.")],
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="A run by its id, or `latest`.")
    ] = "latest",
) -> None:
    """Write verdicts as CSV."""
    workspace = session.workspace()
    with session.reader() as engine:
        rows = export_verdicts(workspace, run, out, engine)
    session.data({"file": out, "rows": rows})
    session.say_whole(f"Wrote {rows:,} verdicts to {out}.")


COMMAND = Command(
    name="export",
    panel=Panel.LOOK,
    purpose="Write a run's verdicts as CSV.",
    explanation="One row per verdict in force, sorted: imei,rule,first_matched_on,block_on. For comparison "
    "with other systems and for auditors; it holds no subscribers.",
    examples=(Example("ceir export verdicts --run latest --out verdicts.csv", "those of the newest run"),),
    function=export,
    exits={2: "wrong use, or no such run"},
)
