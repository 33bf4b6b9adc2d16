from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli._tables import pairs
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="[DIR]",
        help="A folder of published lists; the workspace's newest publication, if none is given.",
        show_default=False,
    ),
]
Because = Annotated[
    str,
    typer.Option(
        "--because",
        metavar="TEXT",
        help="Take whole lists over although runs between were not: why. It is kept in the record.",
        show_default=False,
    ),
]


def apply(session: Session, folder: Folder = None, because: Because = "") -> None:
    """Take a run's decisions over into the register."""
    place = folder if folder is not None else _newest(session)
    open_register(session)
    from ceir.registry.actors import SYSTEM  # noqa: PLC0415 - Django is set up only now
    from ceir.registry.runs import applying  # noqa: PLC0415

    applied = applying.apply(place, actor=SYSTEM, at=session.now, because=because)
    run = applied.run
    session.data(
        {"run": run.number, "as_of": run.as_of, "new": applied.is_new, "folder": place, "counts": run.counts}
    )
    if not applied.is_new:
        session.say(f"Run {run.number} was taken over before; nothing was changed.")
        return
    session.say_whole(f"Run {run.number} of {run.as_of} was taken over from {place}.")
    session.say(pairs([(name.replace("_", " "), str(count)) for name, count in sorted(run.counts.items())]))


def _newest(session: Session) -> Path:
    workspace = session.workspace()
    published = [run for run in workspace.catalogue().runs if run.publications and not run.stripped]
    if not published:
        raise UsageError("The workspace has published no lists.", "Publish them with: ceir publish lists")
    return workspace.path(published[-1].publications[0].path)


COMMAND = Command(
    name="apply",
    panel=Panel.RUNS,
    place=60,
    purpose="Take a run's decisions over into the register.",
    explanation="Decisions and who is to be told, from the published lists of a run: all of it in one "
    "transaction or nothing, held against its manifest. The same run again changes nothing; an older one, or "
    "one whose base is another, is refused.",
    examples=(
        Example("ceir apply", "what the workspace published last"),
        Example("ceir apply lists/00007", "a folder, for instance of another machine"),
    ),
    function=apply,
    exits={0: "taken over, or it was before", 1: "refused: the files are not whole, or out of order"},
)
