from ceir.cli._running import run_data
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel


def runs(session: Session) -> None:
    """List the runs."""
    found = session.workspace().catalogue().runs
    session.data([run_data(run) for run in found])
    session.say(
        table(
            f"{len(found)} runs",
            ("run", "as of", "after", "looked at", "equipment", "verdicts", "published"),
            [
                (
                    run.id,
                    run.as_of,
                    run.parent,
                    "all" if run.mode == "full" else f"{run.looked_at:,}",
                    run.equipment,
                    run.verdicts,
                    "lists deleted" if run.stripped else bool(run.publications),
                )
                for run in found
            ],
        )
    )


COMMAND = Command(
    name="runs",
    panel=Panel.LOOK,
    purpose="List the runs so far.",
    explanation="A line a run: its day, the run whose verdicts it continues, how much it looked at, what it "
    "found and whether its lists are out.",
    examples=(Example("ceir runs", "ids to give to ceir diff and ceir export"),),
    function=runs,
)
