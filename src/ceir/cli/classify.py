from typing import Annotated

import typer

from ceir.cli._options import AsOf, Because, paired
from ceir.cli._running import classify_now, run_data, show_run
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel

Full = Annotated[
    bool,
    typer.Option(
        "--full", help="Look at everything anew, even if results could be carried over.", show_default=False
    ),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="CONDITION",
        help="Go on although this condition matches more than its limit; needs --because.",
        show_default=False,
    ),
]


def classify(
    session: Session, as_of: AsOf = None, full: Full = False, accept: Accept = None, because: Because = None
) -> None:
    """Classify all equipment."""
    accepted = paired(accept, because)
    with session.changing() as workspace:
        run, is_new = classify_now(session, workspace, as_of, full=full, accepted=accepted)
        policy, _ = workspace.policy()
    session.data({"run": run_data(run), "new": is_new})
    show_run(session, policy, run, is_new=is_new)


COMMAND = Command(
    name="classify",
    panel=Panel.RUNS,
    place=2,
    purpose="Find what the policy's conditions match, as of a day.",
    explanation="Computes the facts, tests every condition and keeps the verdicts with their evidence as a "
    "run. Only what may have changed since the run before is looked at. Without --as-of the day is the last "
    "one observed. A blocking condition that matches more equipment than its policy thinks possible stops "
    "the run, and nothing is changed.",
    examples=(
        Example("ceir classify", "as of the last day observed"),
        Example("ceir classify --as-of 2026-10-31 --full", "everything anew, as of a day"),
        Example(
            "ceir classify --accept stolen --because 'two years of reports at once'",
            "somebody looked and decided that so many are right",
        ),
    ),
    function=classify,
    uses="change",
    computes=True,
    exits={0: "done, or there already", 1: "nothing to classify, or a condition matched too much"},
)
