"""Errors as words on stderr: what happened, what to do, and the exit code."""

import json
import sys
import traceback

import typer
from rich.text import Text

from ceir.cli._session import Session
from ceir.errors import CeirError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it: 128 and the number of the signal."""


def tell_error(session: Session, error: CeirError) -> int:
    """Tell an error that people are meant to see. Returns: its exit code."""
    if session.debug:
        traceback.print_exception(error)
    tell(session, error.code, error.detail, error.hint, **error.data)
    return error.exit_code


def tell_usage(session: Session, error: typer.TyperException) -> int:
    """Tell that the line cannot be read. Returns: its exit code."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "ceir"
    tell(session, "usage", error.format_message(), f"See: {command} --help")
    return error.exit_code


def tell_interrupted(session: Session) -> int:
    """Tell what became of the work after Ctrl-C. Returns: its exit code."""
    finished = session.changes_finished()
    if finished:
        what = (
            "1 change was finished and stays"
            if finished == 1
            else f"{finished} changes were finished and stay"
        )
        detail = f"Interrupted; {what}."
    else:
        detail = "Interrupted." if session.unfinished else "Interrupted; nothing was changed."
    tell(session, "interrupted", detail, session.unfinished or "Run it again when you like.")
    return INTERRUPTED


def tell_bug(session: Session, error: Exception) -> int:
    """Tell a fault of ours. Returns: its exit code."""
    if session.debug:
        traceback.print_exception(error)
    where = "Please report it with the lines above." if session.debug else "Add --debug and please report it."
    tell(
        session,
        "internal",
        f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no details'}",
        f"This is a fault of the program, not yours. {where}",
    )
    return 1


def tell(session: Session, code: str, detail: str, hint: str, **more: object) -> None:
    """Write an error to stderr."""
    if session.as_json:
        told = {"error": {"code": code, "detail": detail, "hint": hint, **more}}
        print(json.dumps(told, ensure_ascii=False), file=sys.stderr)
        return
    line = Text.assemble((f"error [{code}]:", "bold red"), f" {detail}")
    session.err.print(line, soft_wrap=True, highlight=False)
    if hint:
        session.err.print(Text.assemble(("hint:", "bold"), f" {hint}"), soft_wrap=True, highlight=False)
