from typing import Annotated, Literal

import typer

from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError

Marks = Annotated[
    list[str] | None,
    typer.Option(
        "--mark",
        metavar="SEQUENCE:DIGEST",
        help="A place of the record that you kept earlier; it must still lie on it. May be repeated.",
        show_default=False,
    ),
]


def audit(
    session: Session,
    what: Annotated[Literal["verify"], typer.Argument(help="What to do.")],  # noqa: ARG001 - the only one
    mark: Marks = None,
) -> None:
    """Hold the record of deeds against itself."""
    open_register(session)
    from ceir.registry.audit.chain import Mark, verify  # noqa: PLC0415 - Django is set up only now

    marks = []
    for text in mark or ():
        sequence, _, digest = text.partition(":")
        try:
            marks.append(Mark(int(sequence), bytes.fromhex(digest)))
        except ValueError as error:
            raise UsageError(f"{text!r} is no mark.", "Give what `ceir audit verify` told then.") from error
    end = verify(tuple(marks))
    session.data({"entries": end.sequence, "mark": str(end)})
    session.say(f"The record is whole: {end.sequence:,} entries.")
    session.say_whole(f"Keep this mark outside the register: {end}")


COMMAND = Command(
    name="audit",
    panel=Panel.KEEP,
    place=62,
    purpose="Verify the record of what was done and read.",
    explanation="Every entry of the record is bound to the one before, so that one changed, removed or "
    "put in is seen. A record rewritten as a whole is seen by whoever kept a mark: keep one outside.",
    examples=(Example("ceir audit verify", "walk the whole record; tells a mark to keep"),),
    function=audit,
    uses="workspace",
    exits={0: "whole", 1: "an entry was changed, removed or put in"},
)
