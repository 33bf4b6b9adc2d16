from typing import Annotated, Literal

import typer

from ceir.cli._running import classify_now, publication_data, publish_now, show_publication
from ceir.cli._session import Session
from ceir.cli._tables import pairs, table
from ceir.cli.declaration import Command, Example, Panel
from ceir.errors import UsageError
from ceir.pipeline.catalogue import Run
from ceir.pipeline.release.ordering import ReleaseStanding, order, standings
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy

What = Annotated[
    Literal["status", "stop", "resume", "undo"],
    typer.Argument(help="Show where releases stand, or order something.", show_default=True),
]
Release = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE]",
        help="A condition's label, or LABEL@YYYY-MM-DD for what became due on a day.",
        show_default=False,
    ),
]
Because = Annotated[
    str, typer.Option("--because", metavar="TEXT", help="Why; kept in the record.", show_default=False)
]
By = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Who orders it; kept in the record.", show_default=False)
]


def release(
    session: Session, what: What = "status", release: Release = None, because: Because = "", by: By = ""
) -> None:
    """Where blocks that come step by step stand; stop them, go on, take them back."""
    if what == "status":
        _status(session, release)
        return
    if release is None:
        raise UsageError("No release was named.", f"ceir release {what} LABEL --because TEXT --by NAME")
    with session.changing() as workspace:
        made = order(workspace, what, release, today=session.today, at=session.now, by=by, because=because)
        runs = workspace.catalogue().runs
        if not runs:
            session.data({"order": made})
            session.say("Kept; there is no run yet.")
            return
        newest = runs[-1]
        run, _ = classify_now(session, workspace, newest.as_of, accepted=newest.accepted)
        published, publication, is_new = publish_now(session, workspace, run.as_of)
    session.data({"order": made, "publication": {**publication_data(workspace, published, publication)}})
    session.say(f"{made.condition}: {what}, from {made.from_day} on.")
    show_publication(session, workspace, published, publication, is_new=is_new)


def _status(session: Session, release: str | None) -> None:
    workspace = session.workspace()
    with session.reader() as engine:
        run, policy, found = standings(workspace, engine)
    shown = [s for s in found if release is None or release in (s.condition, s.name)]
    session.data(
        {
            "run": run.id if run else None,
            "staged_by": policy.release.staged_by,
            "releases": [
                {"release": s.name, "state": s.state, "out": s.out, "ahead": s.ahead, "held": s.held,
                 "next_on": s.next_on, "pause": s.pause}
                for s in shown
            ],
            "conditions": run.releases if run else (),
            "orders": workspace.catalogue().release_orders,
        }
    )  # fmt: skip
    if not session.as_json:
        _show(session, workspace, run, policy, shown)


def _show(
    session: Session,
    workspace: Workspace,
    run: Run | None,
    policy: Policy,
    shown: list[ReleaseStanding],
) -> None:
    if policy.release.staged_by == "register":
        session.say("The register stages blocks: the pipeline's lists hold all of them.")
        return
    if not policy.release.staged:
        session.say("No condition of the policy has steps: blocks come all at once.")
        return
    if run is None:
        session.say("There is no run yet.")
        return
    session.say(
        table(
            f"Releases at run {run.id}, as of {run.as_of}",
            ("release", "state", "out", "to come", "held", "next"),
            [(s.name, s.state, s.out, s.ahead, s.held, s.next_on) for s in shown],
        )
    )
    for state in run.releases:
        told = [
            f"{n} {name} about {state.counted_of:,} released" for name, n in sorted(state.signals.items())
        ]
        told += [f"stopped: {p.because}" for p in state.pauses if p.until is None]
        if told:
            session.say()
            session.say(pairs([(state.condition, "\n".join(told))]))
    orders = workspace.catalogue().release_orders
    if orders:
        session.say()
        rows = [
            (
                f"{o.given_at:%Y-%m-%d %H:%M}",
                o.what,
                o.condition + (f"@{o.due}" if o.due else ""),
                o.by,
                o.because,
            )
            for o in orders
        ]
        session.say(table("Orders", ("given", "what", "release", "by", "because"), rows))


COMMAND = Command(
    name="release",
    panel=Panel.RUNS,
    place=7,
    purpose="See blocks that come step by step; stop or take them back.",
    explanation="Where a policy has steps for a condition, only a share of its equipment is blocked at "
    "first. A "
    "release is the equipment that becomes due on one day. stop lets nothing more out, resume goes on, undo "
    "takes back what was let out. Each of these writes new lists at once, as of the newest run's day.",
    examples=(
        Example("ceir release", "where every release stands"),
        Example(
            "ceir release stop shared_identity --because 'many calls' --by 'A. Officer'",
            "let nothing more out",
        ),
        Example(
            "ceir release undo shared_identity@2026-10-31 --because 'a wrong file' --by 'A. Officer'",
            "take back what became due on one day",
        ),
        Example(
            "ceir release resume shared_identity --because 'the file was right' --by 'A. Officer'", "go on"
        ),
    ),
    function=release,
    uses="change",
    computes=True,
    exits={0: "shown, or ordered and new lists written", 1: "refused: it is so already, or a run is refused"},
)
