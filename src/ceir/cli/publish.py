from typing import Annotated

import typer

from ceir.cli._options import AsOf
from ceir.cli._running import publication_data, publish_now, show_publication
from ceir.cli._session import Session
from ceir.cli.declaration import Command, Example, Panel

Base = Annotated[
    int | None,
    typer.Option(
        "--base",
        metavar="RUN",
        help="The published run that changes are told against; otherwise the last one.",
        show_default=False,
    ),
]


def publish(session: Session, as_of: AsOf = None, base: Base = None) -> None:
    """Write the lists of a run."""
    with session.changing() as workspace:
        run, publication, is_new = publish_now(session, workspace, as_of, base)
        if not is_new and tuple(i.id for i in workspace.catalogue().live) != run.inputs:
            session.note(f"Files were ingested or undone since run {run.id}; for new lists: ceir run")
    session.data({**publication_data(workspace, run, publication), "new": is_new})
    show_publication(session, workspace, run, publication, is_new=is_new)


COMMAND = Command(
    name="publish",
    panel=Panel.RUNS,
    place=3,
    purpose="Write a run's lists and what changed since the lists before.",
    explanation="Writes the lists for every receiver, the changes since an earlier published run with their "
    "reasons, and a manifest with the fingerprint of every file. Asked again it gives what is there. A run "
    "that files or the policy have overtaken is refused.",
    examples=(
        Example("ceir publish", "the newest run, with changes since the last published one"),
        Example("ceir publish --base 3", "changes since run 3, for somebody who missed some"),
    ),
    function=publish,
    uses="change",
    computes=True,
    exits={
        0: "published, or there already",
        1: "no run, one that is outdated, or a later day is out already",
    },
)
