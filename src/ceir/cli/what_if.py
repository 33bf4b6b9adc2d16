import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from ceir.cli._options import day
from ceir.cli._policies import policy_path
from ceir.cli._session import Session
from ceir.cli._tables import head, table
from ceir.cli._what_if_page import page
from ceir.cli._what_if_words import (
    UNKNOWN,
    budget_sentence,
    change_rows,
    expected_sentence,
    main_sentences,
    precision_words,
)
from ceir.cli.declaration import Command, Example, Panel
from ceir.pipeline.what_if import WhatIf, WhatIfRequest
from ceir.pipeline.what_if import what_if as replayed
from ceir.pipeline.what_if.result import Group
from ceir.pipeline.workspace import Workspace, disk_errors, replace_file
from ceir.policy.calibration import Calibration, load_calibration

CALIBRATION = "calibration.toml"
"""Where a workspace's calibration lies, if it has one."""

SHOWN_STEPS = 12
"""Days shown in the terminal; the page has all."""

Since = Annotated[
    date | None,
    typer.Option(
        "--since",
        parser=day,
        metavar="DATE",
        help="First day replayed; otherwise 120 days before the last one observed.",
        show_default=False,
    ),
]
Every = Annotated[
    int, typer.Option("--every", metavar="DAYS", min=1, help="Days between two runs of the replay.")
]
Lists = Annotated[
    Literal["then", "now"],
    typer.Option("--lists", help="Lists as they were on each day, or as they are now on every day."),
]
CalibrationFile = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="FILE",
        help="How often conditions are right; otherwise calibration.toml of the workspace, if it is there.",
        show_default=False,
    ),
]


def what_if(
    session: Session,
    policy: Annotated[
        str, typer.Option("--policy", metavar="PATH|NAME", help="The new policy, by path or name.")
    ],
    since: Since = None,
    every: Every = 7,
    lists: Lists = "then",
    calibration: CalibrationFile = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with charts.", show_default=False),
    ] = None,
) -> None:
    """Replay the last months under another policy."""
    workspace = session.workspace()
    known = calibration_of(workspace, calibration)
    request = WhatIfRequest(policy_path(policy), since, every, lists, known)
    found = replay_now(session, workspace, request)
    if html is not None:
        with disk_errors():
            replace_file(html, page(found).encode("utf-8"))
    session.data(found.model_dump(mode="json"))
    show_what_if(session, found)
    if html is not None:
        session.say_whole(f"\nThe page is {html}")


def calibration_of(workspace: Workspace, chosen: Path | None) -> tuple[Calibration, str] | None:
    """The calibration chosen, else the workspace's own; None: there is none.

    Raises:
        CalibrationError: it cannot be read.
    """
    own = workspace.root / CALIBRATION
    file = chosen or (own if own.exists() else None)
    return load_calibration(file) if file is not None else None


def replay_now(session: Session, workspace: Workspace, request: WhatIfRequest) -> WhatIf:
    """Replay with runs in the system's folder for temporary files."""
    with session.reader() as engine, tempfile.TemporaryDirectory(prefix="ceir-what-if-") as scratch:
        return replayed(
            workspace, request, engine, Path(scratch), session.limits(workspace), session.progress
        )


def show_what_if(session: Session, found: WhatIf) -> None:
    """All of it in the terminal."""
    new = found.new
    session.say(head(f"What if {new.name} {new.version} were in force, {found.since} to {found.until}"))
    for sentence in main_sentences(found):
        session.say(sentence)
    session.say()
    session.say(
        table(
            f"On the last day, against {found.in_force.name} {found.in_force.version}",
            ("change", "devices", "lines", "persons"),
            [(name, devices, lines, _known(persons)) for name, devices, lines, persons in change_rows(found)],
        )
    )
    changed = [(c.condition, c.before, c.after) for c in found.difference.conditions if c.before != c.after]
    _say_table(session, "Devices told or cut", ("condition", "in force", "new"), changed)
    if found.difference.examples:
        _say_table(session, "A few of them", ("what", "IMEI"), found.difference.examples)
    session.say(head("Expected wrong cuts"))
    session.say(expected_sentence(found))
    session.say(budget_sentence(found)[0])
    _say_table(
        session,
        "Blocking conditions",
        ("condition", "told", "cut", "lines cut", "precision"),
        [
            (c.condition, g.notified.devices, c.count.devices, c.count.lines, precision_words(c))
            for c, g in zip(found.calibration, new.conditions, strict=True)
        ],
    )
    for title, groups in (
        ("By operator", new.operators),
        ("By region", new.regions),
        ("By maker", new.makers),
        ("By model", new.models),
        ("By age of the model", new.ages),
    ):
        _say_groups(session, title, groups)
    _say_table(
        session,
        "What else is known of them",
        ("list", "devices that", "devices", "lines"),
        [(o.name, o.meaning, o.count.devices, o.count.lines) for o in new.overlaps],
    )
    shown = new.steps[:: max(1, -(-len(new.steps) // SHOWN_STEPS))]
    _say_table(
        session,
        "Day by day",
        ("day", "told", "cut", "newly told", "newly cut"),
        [(s.as_of, s.notified, s.blocked, s.newly_notified, s.newly_cut) for s in shown],
    )
    for fuse in new.fuses:
        session.note(
            f"A real run of {fuse.as_of} would have stopped: {fuse.condition} matches {fuse.share:.2%} of "
            f"all "
            f"equipment, limit {fuse.limit:.2%}."
        )
    for note in found.notes:
        session.note(note)


def _say_groups(session: Session, title: str, groups: Iterable[Group]) -> None:
    rows = [
        (
            g.name or UNKNOWN,
            g.notified.devices,
            g.notified.lines,
            g.cut.devices,
            g.cut.lines,
            _known(g.cut.persons),
        )
        for g in groups
    ]
    _say_table(session, title, ("", "told", "lines", "cut", "lines", "persons"), rows)


def _say_table(
    session: Session, title: str, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]
) -> None:
    found = list(rows)
    if found:
        session.say()
        session.say(table(title, columns, found))


def _known(persons: object) -> object:
    return UNKNOWN if persons is None else persons


COMMAND = Command(
    name="what-if",
    panel=Panel.RUNS,
    place=5,
    purpose="See whom a policy would tell and cut, before it is in force.",
    explanation="Replays the last months from the files that are here, day by day, under the new policy and "
    "under the one in force, and shows who would have been told and cut: devices, lines and persons, by "
    "condition, operator, region, model and age; what golden, registered, paired or appealed devices are "
    "among "
    "them; and who would be treated otherwise than today. Nothing in the workspace is changed."
    "\n\n"
    "How many of the cuts would be wrong is only told where a calibration file says how often a condition is "
    "right. With --json the result can be given to: ceir activate --what-if FILE.",
    examples=(
        Example("ceir what-if --policy stricter.toml", "before it is put in force"),
        Example(
            "ceir what-if --policy stricter.toml --html stricter.html", "a page with charts, to show around"
        ),
        Example("ceir what-if --policy stricter.toml --since 2026-06-01 --every 30", "longer and coarser"),
        Example("ceir what-if --policy stricter.toml --lists now", "where the lists came only lately"),
    ),
    function=what_if,
    computes=True,
    exits={0: "replayed", 1: "nothing to replay, or the policy or the calibration cannot be read"},
)
