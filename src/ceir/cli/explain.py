from typing import Annotated

import typer
from rich.text import Text

from ceir.cli._explanation import show_explanation
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.explaining import explain as explain_identity


def explain(
    session: Session,
    imei: Annotated[
        list[str],
        typer.Argument(metavar="IMEI", help="As printed, dialled or in a list; spaces do not matter."),
    ],
    subscribers: Annotated[
        bool,
        typer.Option(
            "--subscribers",
            help="Tell who was seen with it too: personal data, only for those who may see it.",
            show_default=False,
        ),
    ] = False,
) -> None:
    """Explain what is known about a piece of equipment."""
    workspace = session.workspace()
    with session.reader() as engine:
        found = explain_identity(workspace, "".join(imei), engine, subscribers=subscribers)
    session.data(found)
    show_explanation(session, found)
    if found.run is None:
        session.say(Text("\nNothing was classified yet: ceir classify"))


COMMAND = Command(
    name="explain",
    panel=Panel.LOOK,
    place=1,
    purpose="Tell all that is known about one IMEI, and why it is on a list.",
    explanation="Identity and model, where and when it was seen, its entries on reference lists, the "
    "verdicts in force with the values they rest on, those that ended, and what happens next. Who used it is "
    "only told with --subscribers.",
    examples=(
        Example("ceir explain 35-675904-000001-1", "as it is printed on the box"),
        Example("ceir explain 35675904000001 --json", "for another program"),
    ),
    function=explain,
    exits={1: "the text is no identity of equipment", 3: "nothing is known about it"},
)
