"""Options that several commands share: how they are typed, what they mean."""

import inspect
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ceir.cli.declaration import Command
from ceir.errors import UsageError

COMMON_PANEL = "Options of every command"


def day(text: str) -> date:
    """A day as it is typed: YYYY-MM-DD or YYYYMMDD."""
    for shape in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text, shape).date()  # noqa: DTZ007 - a calendar day has no zone
        except ValueError:
            continue
    raise typer.BadParameter(f"{text!r} is no calendar day as YYYY-MM-DD")


AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=day,
        metavar="DATE",
        help="The day, YYYY-MM-DD.",
        show_default=False,
    ),
]
Because = Annotated[
    list[str] | None,
    typer.Option(
        "--because",
        metavar="TEXT",
        help="Why; kept with the record for those who audit it. One for each --accept, or one for all.",
        show_default=False,
    ),
]


def paired(accept: list[str] | None, because: list[str] | None) -> Mapping[str, str]:
    """Reasons by what is accepted: one reason each, or one for all.

    Raises:
        UsageError: something is accepted without a reason, or there are reasons left over.
    """
    names, reasons = accept or [], [text.strip() for text in because or []]
    if len(reasons) == 1:
        reasons *= max(len(names), 1)
    if len(names) != len(reasons) or not all(reasons):
        raise UsageError(
            f"{len(names)} times --accept and {len(because or [])} times --because do not fit.",
            "Give a reason for what you accept: --accept NAME --because TEXT",
        )
    return dict(zip(names, reasons, strict=True))


def _common(name: str, annotation: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=COMMON_PANEL, show_default=False, **more)


COMMON: Mapping[str, inspect.Parameter] = {
    "workspace": _common(
        "workspace",
        Annotated[
            Path | None,
            _option(
                "--workspace",
                metavar="DIR",
                help="The country's folder; otherwise CEIR_WORKSPACE, otherwise the current folder.",
            ),
        ],
    ),
    "wait_seconds": _common(
        "wait_seconds",
        Annotated[
            float | None,
            _option(
                "--wait",
                metavar="SECONDS",
                help="How long to wait for another command that changes the folder (10).",
            ),
        ],
    ),
    "threads": _common(
        "threads",
        Annotated[int | None, _option("--threads", metavar="N", help="Worker threads (all cores).")],
    ),
    "memory_gb": _common(
        "memory_gb",
        Annotated[
            float | None,
            _option("--memory-gb", metavar="GB", help="Memory to use before spilling to disk."),
        ],
    ),
    "engine": _common(
        "engine",
        Annotated[
            str | None,
            _option("--engine", metavar="NAME", help="duckdb, or spark with CEIR_SPARK_REMOTE (duckdb)."),
        ],
    ),
    "progress": _common(
        "progress",
        Annotated[
            bool | None,
            _option("--progress/--no-progress", help="Show progress, or not (shown in a terminal)."),
        ],
    ),
    "debug": _common(
        "debug",
        Annotated[bool | None, _option("--debug", help="Show where in the program an error arose.")],
    ),
}
"""Options that stand before the command or behind it; those behind it win."""

JSON = inspect.Parameter(
    "as_json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--json", help="Write the result as JSON on stdout; errors as JSON on stderr.", show_default=False
        ),
    ],
)


def visible(command: Command) -> Mapping[str, inspect.Parameter]:
    """The common options that mean something to a command."""
    names = ["debug"]
    if command.uses != "nothing":
        names = ["workspace", *names]
    if command.uses == "change":
        names.insert(1, "wait_seconds")
    if command.computes:
        names[-1:-1] = ["threads", "memory_gb", "engine", "progress"]
    return {name: COMMON[name] for name in names}
