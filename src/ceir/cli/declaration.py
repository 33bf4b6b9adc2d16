"""How a command is declared; the command line is what the modules of this folder declare."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

EXITS: Mapping[int, str] = {0: "done", 1: "refused by data or state", 2: "wrong use"}
"""What every command's exit codes mean; a command may say it more precisely."""


class Panel(Enum):
    """Groups of commands in `ceir --help`, in their order."""

    BEGIN = "Begin"
    FILES = "Files in"
    RUNS = "Runs and lists out"
    NETWORK = "Answers to networks"
    LOOK = "What happened and why"
    SHELVES = "What there is"
    KEEP = "Keep it in order"


@dataclass(frozen=True)
class Example:
    """A line to type, and what for."""

    line: str
    because: str


@dataclass(frozen=True)
class Command:
    """A command of the command line.

    Args:
        purpose: one line, shown in the list of commands.
        explanation: paragraphs of its own help page, apart by blank lines.
        function: takes the session first, then its options and arguments as typer reads them.
        uses: nothing, a workspace, or a workspace that it changes; decides which common options it shows.
        computes: it runs an engine: `--threads` and `--memory-gb` are shown.
        json: it takes `--json`.
        place: among the commands of its panel.
        exits: meanings that differ from those of every command.
    """

    name: str
    panel: Panel
    purpose: str
    explanation: str
    examples: tuple[Example, ...]
    function: Callable[..., None]
    uses: Literal["nothing", "workspace", "change"] = "workspace"
    computes: bool = False
    json: bool = True
    place: int = 50
    exits: Mapping[int, str] = field(default_factory=dict)


def command_names() -> tuple[str, ...]:
    """Names of all commands, by listing the modules of this folder; loads none of them."""
    import ceir.cli  # noqa: PLC0415 - the package holds this module

    modules = (info.name for info in pkgutil.iter_modules(ceir.cli.__path__))
    return tuple(
        name.replace("_", "-")
        for name in modules
        if not name.startswith("_") and name not in ("main", "declaration")
    )


def command(name: str) -> Command:
    """The declared command of a name: the `COMMAND` of its module.

    Raises:
        TypeError: the module declares none, or one of another name.
    """
    module = f"ceir.cli.{name.replace('-', '_')}"
    found = getattr(importlib.import_module(module), "COMMAND", None)
    if not isinstance(found, Command) or found.name != name:
        raise TypeError(f"{module} declares no command of its name")
    return found


def all_commands() -> tuple[Command, ...]:
    """Every declared command in the order of the help.

    Raises:
        TypeError: a module without a leading underscore declares none, or one of another name.
    """
    panels = list(Panel)
    found = map(command, command_names())
    return tuple(sorted(found, key=lambda c: (panels.index(c.panel), c.place, c.name)))
