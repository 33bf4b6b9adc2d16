from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from ceir.cli._options import Because, paired
from ceir.cli._policies import policy_path
from ceir.cli._session import Session
from ceir.cli._tables import pairs
from ceir.cli._what_if_words import budget_sentence, expected_sentence, main_sentences
from ceir.cli.declaration import Command, Example, Panel
from ceir.cli.what_if import CalibrationFile, Every, Lists, Since, calibration_of, replay_now
from ceir.errors import UsageError
from ceir.pipeline.activating import WHAT_IF, ActivationRequest, needs_looking
from ceir.pipeline.activating import activate as put_in_force
from ceir.pipeline.what_if import WhatIf, WhatIfRequest
from ceir.pipeline.workspace import disk_errors

Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept",
        metavar="NAME",
        help="Bear what speaks against it: a condition's label, budget or what-if; needs --because and --by.",
        show_default=False,
    ),
]


def activate(
    session: Session,
    policy: Annotated[str, typer.Argument(metavar="PATH|NAME", help="The new policy, by path or name.")],
    what_if: Annotated[
        Path | None,
        typer.Option(
            "--what-if",
            metavar="FILE",
            help="What ceir what-if --json wrote; otherwise it is made now, where the budget asks for it.",
            show_default=False,
        ),
    ] = None,
    since: Since = None,
    every: Every = 7,
    lists: Lists = "then",
    calibration: CalibrationFile = None,
    accept: Accept = None,
    because: Because = None,
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who takes responsibility.", show_default=False)
    ] = "",
) -> None:
    """Put a policy in force."""
    accepted = paired(accept, because)
    workspace, path = session.workspace(), policy_path(policy)
    known = calibration_of(workspace, calibration)
    found: WhatIf | None = None
    if what_if is not None:
        found = _read(what_if)
    elif WHAT_IF not in accepted and needs_looking(workspace, path):
        found = replay_now(session, workspace, WhatIfRequest(path, since, every, lists, known))
    with session.changing():
        made = put_in_force(workspace, ActivationRequest(path, session.now, found, known, accepted, by))
    session.data({"activation": made})
    session.say(f"{made.name} version {made.version} is in force; the next run obeys it.")
    if found is not None:
        for sentence in (*main_sentences(found), expected_sentence(found), budget_sentence(found)[0]):
            session.say(sentence)
    if made.accepted:
        session.say()
        session.say(pairs([(f"{name} accepted", why) for name, why in made.accepted.items()]))


def _read(file: Path) -> WhatIf:
    with disk_errors():
        text = file.read_bytes()
    try:
        return WhatIf.model_validate_json(text)
    except ValidationError as error:
        raise UsageError(
            f"{file} is no what-if of this version.", "Write it with: ceir what-if --policy NEW --json > FILE"
        ) from error


COMMAND = Command(
    name="activate",
    panel=Panel.RUNS,
    place=6,
    purpose="Put a policy in force, if it keeps its error budget.",
    explanation="Copies the policy into the workspace; the next run obeys it. Where it or the one in force "
    "has an "
    "error budget, it is looked at first: it must have been replayed on the data that is here, its expected "
    "wrong cuts must keep the budget, and a condition that newly blocks must be calibrated. What speaks "
    "against "
    "it can be accepted by name, with a reason and by a person; that is kept."
    "\n\n"
    "Without a budget, and in a workspace without files, nothing is asked.",
    examples=(
        Example("ceir activate stricter.toml", "with a what-if made now, where one is asked for"),
        Example("ceir activate stricter.toml --what-if stricter.json", "with one that was looked at before"),
        Example(
            "ceir activate stricter.toml --accept stolen --because 'rests on police reports' --by 'A. "
            "Officer'",
            "nobody can measure how often the police is right",
        ),
    ),
    function=activate,
    uses="change",
    computes=True,
    exits={0: "in force", 1: "refused: something speaks against it that nobody accepted"},
)
