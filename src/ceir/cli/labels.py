from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from ceir.cli._options import day
from ceir.cli._outside import require_outside
from ceir.cli._register import open_register
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel

File = Annotated[Path, typer.Argument(metavar="FILE", help="Written whole, then put in its place.")]
Since = Annotated[
    date | None,
    typer.Option(
        "--since",
        parser=day,
        metavar="DATE",
        help="Only what was learnt from this day on, YYYY-MM-DD.",
        show_default=False,
    ),
]


def labels(session: Session, file: File, since: Since = None) -> None:
    """Write what appeals taught: cases whose truth is known."""
    require_outside(session, file, "ceir labels labels.csv")
    open_register(session)
    from django.utils.timezone import get_current_timezone  # noqa: PLC0415 - Django is set up only now

    from ceir.registry.actors import SYSTEM  # noqa: PLC0415
    from ceir.registry.appeals.labels import HEADER, write_labels  # noqa: PLC0415

    first = datetime(1, 1, 1, tzinfo=UTC)
    if since is not None:
        first = datetime.combine(since, time.min, get_current_timezone())
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("w", encoding="utf-8", newline="") as opened:
        rows = write_labels(opened, first, actor=SYSTEM, at=session.now)
    fresh.replace(file)
    session.data({"file": file, "rows": rows, "columns": HEADER})
    session.say_whole(f"{rows:,} labels in {file}")


COMMAND = Command(
    name="labels",
    panel=Panel.FILES,
    place=61,
    purpose="Write what appeals taught about conditions as labelled cases.",
    explanation="A row for each appeal that two people decided, the oldest first: `imei` (14 digits, or the "
    "malformed text), `condition` (its label), `run` (whose decision it was about), `label`: "
    "`false_positive` (the appeal was upheld: the condition was wrong) or `true_positive` (it was "
    "dismissed). It names nobody. Only those appeal who were told and care: measure with it how often a "
    "condition is wrong, not how often it is right.",
    examples=(
        Example("ceir labels labels.csv", "everything that was learnt"),
        Example("ceir labels labels.csv --since 2026-07-01", "what was learnt from a day on"),
    ),
    function=labels,
    exits={0: "written", 2: "wrong use, or no register"},
)
