from pathlib import Path
from typing import Annotated, Literal

import typer

from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.cloning import suspects, write_suspects

SHOWN = 40
"""Rows of the table; the whole goes into a file."""


def clones(
    session: Session,
    answer: Annotated[
        Literal["clone", "undecided"] | None, typer.Option("--answer", help="Only those with this answer.")
    ] = None,
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="A run by its id, or `latest`.")
    ] = "latest",
    out: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE.csv", help="Write all of them to this file.")
    ] = None,
) -> None:
    """Identities that several devices carry, or may carry."""
    workspace = session.workspace()
    with session.reader() as engine:
        chosen, found = suspects(workspace, run, engine, answer)
    if out is not None:
        write_suspects(found, out)
    session.data({"run": chosen.id, "as_of": chosen.as_of, "identities": found})
    if not found:
        session.say(f"Run {chosen.id} suspects no identity of that kind.")
        return
    session.say(
        table(
            f"Run {chosen.id} ({chosen.as_of}): identities that several devices carry or may carry",
            ("imei", "answer", "score", "kinds", "lines", "pair", "keep", "stop"),
            [
                (s.imei, s.answer, s.score, s.signals, s.lines, s.pair, s.keep, s.stop + s.refuse)
                for s in found[:SHOWN]
            ],
        )
    )
    if len(found) > SHOWN:
        session.say_whole(f"{len(found) - SHOWN:,} more: ceir clones --csv FILE.csv")
    if out is not None:
        session.say_whole(f"Wrote {len(found):,} identities to {out}.")


COMMAND = Command(
    name="clones",
    panel=Panel.LOOK,
    purpose="List identities that several devices carry, and what follows.",
    explanation="Every identity that a condition with the rule cloned or perhaps_cloned matched: its answer "
    "and score, how many independent kinds of evidence speak, how many lines use it, and of these how many "
    "are the genuine user's (pair), go on because nobody can say (keep), or stop. No subscriber is named; "
    "one identity in full: ceir explain.",
    examples=(
        Example("ceir clones", "the highest scores first"),
        Example("ceir clones --answer clone --csv clones.csv", "what is decided, as a file"),
    ),
    function=clones,
    exits={2: "wrong use, or no such run"},
)
