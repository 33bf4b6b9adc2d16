from datetime import date
from typing import Annotated, Literal

import typer

from ceir.cli._options import AsOf, day
from ceir.cli._running import publication_data, publish_now, show_publication
from ceir.cli._session import Session
from ceir.cli._snapshotting import publish_snapshot_now, show_snapshot
from ceir.cli.declaration import Command, Example, Panel
from ceir.distribution import SnapshotRequest
from ceir.errors import UsageError

What = Annotated[
    Literal["lists", "snapshot"],
    typer.Argument(help="The lists of a run, or a snapshot of them for equipment checks.", show_default=True),
]
Base = Annotated[
    int | None,
    typer.Option(
        "--base",
        metavar="RUN",
        help="Lists: the published run that changes are told against; otherwise the last one.",
        show_default=False,
    ),
]
Operator = Annotated[
    str | None,
    typer.Option(
        "--operator",
        metavar="ID",
        help="Snapshot: with the pairings of this operator's subscribers; otherwise with everybody's.",
        show_default=False,
    ),
]
Override = Annotated[
    Literal["permitted", "tracked", "blocked", "unknown"] | None,
    typer.Option(
        "--override",
        help="Snapshot: for an emergency, one answer to everything until the next snapshot.",
        show_default=False,
    ),
]
Because = Annotated[
    str | None,
    typer.Option(
        "--because",
        metavar="TEXT",
        help="Snapshot: why there is an override; kept in it and in the record.",
        show_default=False,
    ),
]
ValidUntil = Annotated[
    date | None,
    typer.Option(
        "--valid-until",
        parser=day,
        metavar="DATE",
        help="Snapshot: the last day it may serve; otherwise the policy's days after the run.",
        show_default=False,
    ),
]


def publish(
    session: Session,
    what: What = "lists",
    as_of: AsOf = None,
    base: Base = None,
    operator: Operator = None,
    override: Override = None,
    because: Because = None,
    valid_until: ValidUntil = None,
) -> None:
    """Write the lists of a run, or a snapshot of them."""
    if what == "snapshot":
        _only("lists", as_of=as_of, base=base)
        request = SnapshotRequest(session.now, operator, override, because, valid_until)
        with session.changing() as workspace:
            published = publish_snapshot_now(session, workspace, request)
        show_snapshot(session, workspace, published)
        return
    _only("snapshot", operator=operator, override=override, because=because, valid_until=valid_until)
    with session.changing() as workspace:
        run, publication, is_new = publish_now(session, workspace, as_of, base)
        if not is_new and tuple(i.id for i in workspace.catalogue().live) != run.inputs:
            session.note(f"Files were ingested or undone since run {run.id}; for new lists: ceir run")
    session.data({**publication_data(workspace, run, publication), "new": is_new})
    show_publication(session, workspace, run, publication, is_new=is_new)


def _only(what: str, **given: object) -> None:
    """Refuse options that mean nothing here, rather than pass them over."""
    wrong = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is not None]
    if wrong:
        raise UsageError(f"{', '.join(wrong)} belongs to: ceir publish {what}", "See: ceir publish --help")


COMMAND = Command(
    name="publish",
    panel=Panel.RUNS,
    place=3,
    purpose="Write a run's lists and changes, or a signed snapshot of them.",
    explanation="Lists: for every receiver, with the changes since an earlier published run and their "
    "reasons, and a manifest with the fingerprint of every file. Asked again it gives what is there. A run "
    "that files or the policy have overtaken is refused."
    "\n\n"
    "Snapshot: one signed file with the newest published lists, from which operators' equipment checks "
    "answer (ceir serve, ceir check), and where it can be the delta from the snapshot before. The key "
    "is CEIR_SIGNING_KEY, or is made in the workspace the first time; operators need its public half.",
    examples=(
        Example("ceir publish", "the newest run, with changes since the last published one"),
        Example("ceir publish --base 3", "changes since run 3, for somebody who missed some"),
        Example("ceir publish snapshot", "what `ceir check` and `ceir serve` answer from"),
        Example("ceir publish snapshot --operator operator1", "with this operator's pairings only"),
    ),
    function=publish,
    uses="change",
    computes=True,
    exits={
        0: "published, or there already",
        1: "no run, one that is outdated or too old, or a later day is out already",
    },
)
