import importlib
import re
from collections.abc import Iterable
from typing import Any

from ceir.reference._markdown import code, head, join, link, table, whole

# The command line stands above this package: it is found by name, and its values have no type here.


def page() -> str:
    """Every command of the command line with its arguments, options and examples."""
    parts = [
        head(
            "Commands",
            "`ceir COMMAND --help` shows the same. Options of every command stand before the command or "
            "behind it; a command shows those that mean something to it.",
        )
    ]
    commands = importlib.import_module("ceir.cli.declaration").all_commands()
    main, typer = importlib.import_module("ceir.cli.main"), importlib.import_module("typer")
    group = typer.main.get_command(main.whole())
    parts += [
        table(("command", "purpose"), [(link(c.name), c.purpose) for c in commands]),
        "## Options of every command",
        _arguments(group.params),
    ]
    return whole(parts + [_command(c, group.commands[c.name]) for c in commands])


def _command(declared: Any, built: Any) -> str:
    shared = importlib.import_module("ceir.cli._options").COMMON_PANEL
    own = [p for p in built.params if getattr(p, "rich_help_panel", None) != shared]
    exits = {**importlib.import_module("ceir.cli.declaration").EXITS, **declared.exits}
    examples = "\n".join(f"# {e.because}\n{e.line}" for e in declared.examples)
    return join(
        f"## {declared.name}",
        f"{declared.purpose} {declared.explanation}",
        _arguments(own),
        f"```\n{examples}\n```",
        "Exit codes: " + "; ".join(f"{number} {meaning}" for number, meaning in sorted(exits.items())) + ".",
    )


def _arguments(parameters: Iterable[Any]) -> str:
    rows = []
    for p in parameters:
        if p.name in ("help", "install_completion", "show_completion"):
            continue
        option = p.param_type_name == "option"
        name = (*p.opts, *p.secondary_opts) if option else (p.metavar or p.name.upper(),)
        rows.append(
            (
                ", ".join(code(one) for one in name),
                code(p.metavar or "") if option and not p.is_flag else "",
                _default(p),
                re.sub(r"\s+", " ", p.help or ""),
            )
        )
    return table(("argument", "value", "default", "meaning"), rows) if rows else ""


def _default(parameter: Any) -> str:
    if parameter.required:
        return "must be given"
    shown = isinstance(parameter.default, str | int | float) and not isinstance(parameter.default, bool)
    return code(parameter.default) if shown else ""
