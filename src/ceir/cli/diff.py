from collections.abc import Sequence
from typing import Annotated

import typer

from ceir.cli._running import run_data
from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.diffing import diff_runs


def diff(
    session: Session,
    before: Annotated[int, typer.Argument(metavar="RUN", help="The earlier run.")],
    after: Annotated[int, typer.Argument(metavar="RUN", help="The later run.")],
) -> None:
    """Compare the verdicts of two runs."""
    workspace = session.workspace()
    with session.reader() as engine:
        found = diff_runs(workspace, before, after, engine)
    session.data(
        {
            "before": run_data(found.before),
            "after": run_data(found.after),
            "conditions": found.conditions,
            "samples": [dict(zip(("imei", "condition", "what"), s, strict=True)) for s in found.samples],
        }
    )
    session.say(
        table(
            f"Verdicts in force: run {before} ({found.before.as_of}), run {after} ({found.after.as_of})",
            ("condition", "before", "came", "went", "after", "other date"),
            [(c.condition, c.before, c.came, c.went, c.after, c.changed) for c in found.conditions],
        )
    )
    if found.samples:
        session.say()
        session.say(table("A few of them", ("imei", "condition", "what"), _few(found.samples)))


def _few(samples: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """The first of each condition and kind of change: enough to explain one."""
    first: dict[tuple[str, str], tuple[str, str, str]] = {}
    for sample in samples:
        first.setdefault(sample[1:], sample)
    return list(first.values())


COMMAND = Command(
    name="diff",
    panel=Panel.LOOK,
    purpose="Compare the verdicts of two runs.",
    explanation="For each condition: verdicts in force in both runs, how many came and went, and how many "
    "have another date, with a few identities of each to explain.",
    examples=(Example("ceir diff 1 2", "what run 2 says differently"),),
    function=diff,
    computes=False,
    exits={2: "wrong use, or no such run"},
)
