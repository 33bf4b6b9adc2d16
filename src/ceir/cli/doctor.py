import os

import typer
from rich.text import Text

from ceir.cli._session import Session
from ceir.cli._tables import table
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.examining import Finding, examine, examine_installation
from ceir.settings import PREFIX, all_settings

COLOURS = {"ok": "green", "warning": "yellow", "fault": "bold red"}


def doctor(session: Session) -> None:
    """Examine the installation, the settings and the workspace."""
    workspace = session.workspace_if_any()
    if workspace is None:
        findings: tuple[Finding, ...] = examine_installation()
    else:
        findings = examine(workspace, session.limits(workspace), session.today)
    findings += _unknown_variables()
    settings = session.settings.model_dump()
    session.data({"workspace": workspace and workspace.root, "findings": findings, "settings": settings})
    session.say(
        table(
            f"Workspace {workspace.root}" if workspace else "No workspace chosen: only the installation",
            ("check", "state", "detail"),
            [(f.check, Text(f.state, style=COLOURS[f.state]), f"{f.detail}{_advice(f)}") for f in findings],
        )
    )
    session.say()
    session.say(
        table(
            "Settings",
            ("variable", "value", "meaning"),
            [(i.variable, _value(settings[i.name]), i.doc) for i in all_settings()],
        )
    )
    if any(f.state == "fault" for f in findings):
        raise typer.Exit(1)


def _advice(finding: Finding) -> str:
    return f"\n→ {finding.hint}" if finding.hint else ""


def _value(value: object) -> str:
    return "(not set)" if value is None else str(value)


def _unknown_variables() -> tuple[Finding, ...]:
    """Environment variables that look like settings and are none: most likely slips of the pen."""
    known = {info.variable for info in all_settings()}
    return tuple(
        Finding("Settings", "warning", f"{name} is no setting", f"Settings: {', '.join(sorted(known))}.")
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in known
    )


COMMAND = Command(
    name="doctor",
    panel=Panel.KEEP,
    place=1,
    purpose="Check the installation, the settings and the workspace.",
    explanation="Looks whether everything is there that the catalogue names, whether published lists are "
    "unchanged, whether the policy can be read and personal data is overdue. It changes nothing. Without a "
    "workspace it checks the installation only.",
    examples=(
        Example("ceir doctor --workspace demo/workspace", "each check a line, with what to do about it"),
    ),
    function=doctor,
    exits={0: "no fault (there may be warnings)", 1: "a fault was found"},
)
