from ceir.cli._options import AsOf, Because, paired
from ceir.cli._running import (
    classify_now,
    publication_data,
    publish_now,
    run_data,
    show_publication,
    show_run,
)
from ceir.cli._session import Session
from ceir.cli.classify import Accept, Full
from ceir.cli.declaration import Command, Example, Panel
from ceir.cli.publish import Base


def run(
    session: Session,
    as_of: AsOf = None,
    full: Full = False,
    accept: Accept = None,
    because: Because = None,
    base: Base = None,
) -> None:
    """Classify and publish."""
    accepted = paired(accept, because)
    with session.changing() as workspace:
        made, is_new = classify_now(session, workspace, as_of, full=full, accepted=accepted)
        policy, _ = workspace.policy()
        show_run(session, policy, made, is_new=is_new)
        published, publication, fresh = publish_now(session, workspace, made.as_of, base)
    session.data(
        {
            "run": run_data(made),
            "new": is_new,
            "publication": {**publication_data(workspace, published, publication), "new": fresh},
        }
    )
    show_publication(session, workspace, published, publication, is_new=fresh)


COMMAND = Command(
    name="run",
    panel=Panel.RUNS,
    place=1,
    purpose="Classify and publish in one go.",
    explanation="What is done every day or week after the files are in. The same as ceir classify and then "
    "ceir publish; see there.",
    examples=(Example("ceir run", "as of the last day observed"),),
    function=run,
    uses="change",
    computes=True,
    exits={0: "done, or there already", 1: "a condition matched too much, or a later day is out already"},
)
