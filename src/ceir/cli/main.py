"""The command `ceir`: puts the declared commands together and is the one place where errors become words."""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

import ceir
from ceir.cli._options import COMMON, JSON, visible
from ceir.cli._session import Session, interruptible
from ceir.cli._telling import INTERRUPTED, tell_bug, tell_error, tell_interrupted, tell_usage
from ceir.cli.declaration import EXITS, Command, all_commands, command_names
from ceir.cli.declaration import command as declared
from ceir.errors import CeirError

ABOUT = """An open register of a country's devices: from operators' files to the lists that block and protect.

New here? [bold]ceir demo[/] makes a synthetic country and shows everything once, in about a minute.
A country's own folder is made with [bold]ceir init DIR[/]; other commands find it by --workspace, by the
environment variable CEIR_WORKSPACE, or because it is the current folder."""


class Edge(TyperGroup):
    """The outermost edge: every error leaves here as words and an exit code, never as a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line.

        Returns: the exit code, if not `standalone_mode`.
        """
        typed = list(sys.argv[1:] if args is None else args)
        session = Session(as_json="--json" in typed, debug="--debug" in typed)
        try:
            with interruptible(session):
                result = super().main(
                    typed,
                    prog_name or "ceir",
                    complete_var,
                    standalone_mode=False,
                    windows_expand_args=windows_expand_args,
                    obj=session,
                    **extra,
                )
            code = result if isinstance(result, int) else 0
            if code == INTERRUPTED:
                tell_interrupted(session)
        except CeirError as error:
            code = tell_error(session, error)
        except typer.TyperException as error:
            code = tell_usage(session, error)
        except typer.Abort:
            code = tell_interrupted(session)
        except Exception as error:  # noqa: BLE001 - the outermost edge
            code = tell_interrupted(session) if session.interrupted else tell_bug(session, error)
        if standalone_mode:
            sys.exit(code)
        return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ceir {ceir.__version__}")
        raise typer.Exit


def _root(ctx: typer.Context, version: bool = False, **common: object) -> None:  # noqa: ARG001
    session: Session = ctx.obj
    session.choose(common)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def build(commands: Sequence[Command]) -> typer.Typer:
    """The command line, put together from declared commands."""
    app = typer.Typer(
        cls=Edge,
        name="ceir",
        help=ABOUT,
        invoke_without_command=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    version = inspect.Parameter(
        "version",
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[
            bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
        ],
    )
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    app.callback()(_with_signature(_root, [context, version, *COMMON.values()]))
    for each in commands:
        app.command(
            each.name,
            help=_help(each),
            short_help=each.purpose,
            epilog=_exits(each),
            rich_help_panel=each.panel.value,
        )(_prepared(each))
    return app


def _prepared(command: Command) -> Callable[..., None]:
    """The command's function as typer is to see it: with the common options and a context for the session."""
    own = list(inspect.signature(command.function).parameters.values())[1:]
    common = visible(command)
    added = [JSON] if command.json else []

    def run(ctx: typer.Context, **given: Any) -> None:
        session: Session = ctx.obj
        given.pop(JSON.name, None)
        session.choose({name: given.pop(name) for name in common})
        command.function(session, **given)

    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    options = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    return _with_signature(run, [context, *options, *added, *common.values()])


def _with_signature(
    function: Callable[..., None], parameters: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it
    function.__annotations__ = {p.name: p.annotation for p in parameters}
    return function


def _help(command: Command) -> str:
    examples = "\n".join(f"  [dim]# {escape(e.because)}[/]\n  {escape(e.line)}" for e in command.examples)
    title = "Example" if len(command.examples) == 1 else "Examples"
    return f"{escape(command.purpose)}\n\n{escape(command.explanation)}\n\n[bold]{title}[/]\n{examples}"


def _exits(command: Command) -> str:
    meanings: Mapping[int, str] = {**EXITS, **command.exits}
    lines = "\n".join(f"  {code}  {escape(meaning)}" for code, meaning in sorted(meanings.items()))
    return f"[bold]Exit codes[/]\n{lines}"


@cache
def whole() -> typer.Typer:
    """The command line with all commands."""
    return build(all_commands())


def run() -> None:
    """Entry point of the installed command `ceir`.

    Of a line that begins with a command only that one is loaded: all of them bring in engines, codecs and web
    servers, which takes longer than most commands do.
    """
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    if word in command_names():
        line = build((declared(word),))
    elif word == "--version":
        line = build(())
    else:
        line = whole()
    line()
