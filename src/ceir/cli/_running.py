"""Classifying and publishing as commands do it, and showing what came out."""

from collections.abc import Mapping
from datetime import date

from rich.console import RenderableType

from ceir.cli._session import Session
from ceir.cli._tables import head, pairs, table
from ceir.pipeline.catalogue import Publication, Run
from ceir.pipeline.classify import Request, classify
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy


def classify_now(
    session: Session,
    workspace: Workspace,
    as_of: date | None,
    *,
    full: bool = False,
    accepted: Mapping[str, str] | None = None,
) -> tuple[Run, bool]:
    """Classify with the engine chosen; the workspace is held."""
    with session.engine(workspace) as engine:
        return classify(workspace, Request(as_of, accepted or {}, full), engine, session.progress)


def publish_now(
    session: Session, workspace: Workspace, as_of: date | None, base: int | None = None
) -> tuple[Run, Publication, bool]:
    """Publish with the engine chosen; the workspace is held."""
    with session.engine(workspace) as engine:
        return publish(workspace, PublishRequest(as_of, base), engine, session.progress)


def run_data(run: Run) -> dict[str, object]:
    """A run for machines."""
    return run.model_dump(mode="json", exclude={"list_states", "inputs"})


def publication_data(workspace: Workspace, run: Run, publication: Publication) -> dict[str, object]:
    """A publication for machines."""
    return {
        "run": run.id,
        "as_of": run.as_of,
        "base": publication.base,
        "folder": workspace.path(publication.path),
        "rows": publication.rows,
    }


def show_run(session: Session, policy: Policy, run: Run, *, is_new: bool) -> None:
    """What a run found: conditions with counts and shares."""
    session.say(head(f"Run {run.id}, as of {run.as_of.isoformat()}" + ("" if is_new else ": there already")))
    session.say(pairs(_about(run)))
    session.say()
    session.say(conditions_table(policy, run))


def _about(run: Run) -> list[tuple[str, object]]:
    looked = "all of it" if run.mode == "full" else f"{run.looked_at:,} of it, the rest was carried over"
    about: list[tuple[str, object]] = [
        ("equipment", run.equipment),
        ("looked at", looked),
        ("verdicts in force", run.verdicts),
    ]
    return [*about, *((f"{label} accepted", why) for label, why in run.accepted.items())]


def conditions_table(policy: Policy, run: Run) -> RenderableType:
    """The conditions of a run, those that match first."""
    rows = []
    for count in sorted(run.counts, key=lambda c: (-c.matched, c.condition)):
        condition = policy.conditions.get(count.condition)
        if condition is None:
            effect = ""
        elif count.blocking:
            effect = f"blocks after {condition.grace_days} d" if condition.grace_days else "blocks at once"
        else:
            effect = "tracked" if condition.tracked else "trial"
        rows.append((count.condition, count.matched, f"{count.share:.2%}", effect))
    return table("Conditions", ("condition", "equipment", "share", "consequence"), rows)


def show_publication(
    session: Session, workspace: Workspace, run: Run, publication: Publication, *, is_new: bool
) -> None:
    """Lists with rows and changes, and where they lie."""
    session.say(head(f"Lists of run {run.id}" + ("" if is_new else ": published already")))
    first = run.publications[0] if run.publications else publication
    session.say(lists_table(first, publication))
    session.say_whole(f"in {workspace.path(publication.path)}")


def lists_table(full: Publication, publication: Publication) -> RenderableType:
    """A line a list: rows of the whole list, and rows of the delta where there is one."""
    rows = []
    for file, count in sorted(full.rows.items()):
        if file.endswith(".csv") and not file.startswith("delta/"):
            rows.append((file.removesuffix(".csv"), count, publication.rows.get(f"delta/{file}")))
    since = f"changes since run {publication.base}" if publication.base is not None else "changes"
    return table("", ("list", "rows", since), rows)
