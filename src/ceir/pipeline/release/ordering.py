"""What people decide about blocks that come step by step: stop, go on, take back."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from ceir.clock import day_of
from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import Catalogue, Pause, ReleaseOrder, Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.release.dating import name_staged
from ceir.pipeline.release.watching import pauses_of
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.policy.loading import load_policy

What = Literal["stop", "resume", "undo"]

_NAME = re.compile(r"(?P<label>[A-Za-z0-9_]{1,64})(@(?P<due>[0-9]{4}-[0-9]{2}-[0-9]{2}))?")

LONGEST_REASON = 500


class ReleaseOrderError(CeirError):
    """A release cannot go where it is sent."""

    code = "release_order_refused"


@dataclass(frozen=True)
class ReleaseStanding:
    """A release: the equipment of a condition that becomes due on one day.

    Args:
        due: the day on which its grace is over.
        out, ahead, held: equipment that is blocked, that has a day to come, that has none.
        next_on: the next day on which some of it is let out.
        pause: why nothing is let out; None: it goes on, or is done.
    """

    condition: str
    due: date
    out: int
    ahead: int
    held: int
    next_on: date | None
    pause: Pause | None

    @property
    def name(self) -> str:
        """As commands call it."""
        return f"{self.condition}@{self.due.isoformat()}"

    @property
    def state(self) -> Literal["to come", "growing", "done", "stopped", "undone"]:
        """Where it stands."""
        if self.pause is not None and self.held:
            return "undone" if self.pause.from_day is None else "stopped"
        if not self.ahead:
            return "done"
        return "growing" if self.out else "to come"


def order(
    workspace: Workspace,
    what: What,
    release: str,
    *,
    today: date,
    at: datetime,
    by: str,
    because: str,
) -> ReleaseOrder:
    """Keep an order; call it with the workspace locked. The next run obeys it.

    Args:
        release: `LABEL`, all of the condition; or `LABEL@YYYY-MM-DD`, what became due on that day.
        today: the first day it changes where there is no run yet.

    Raises:
        UsageError: no such condition is released step by step; no reason, or no name.
        ReleaseOrderError: it is stopped or undone already, or there is nothing to resume.
    """
    label, due = named(release)
    policy, _ = workspace.policy()
    if label not in policy.release.staged:
        listed = ", ".join(policy.release.staged) or "none"
        raise UsageError(f"No release of {label} is staged here.", f"Conditions with steps: {listed}.")
    if not by.strip() or not because.strip() or len(because) > LONGEST_REASON:
        raise UsageError(
            "An order needs who gives it, and why in at most 500 characters.", "Give --by NAME --because TEXT"
        )
    catalogue = workspace.catalogue()
    latest = catalogue.runs[-1] if catalogue.runs else None
    stops = next((s.stops for s in (latest.releases if latest else ()) if s.condition == label), ())
    standing = [
        p for p in pauses_of(label, stops, catalogue.release_orders) if p.due == due and p.until is None
    ]
    if what == "resume" and not standing:
        raise ReleaseOrderError(f"{release} is not stopped.", "See: ceir release")
    if (what == "stop" and standing) or (what == "undo" and any(p.from_day is None for p in standing)):
        raise ReleaseOrderError(f"{release} is stopped or undone already.", "See: ceir release")
    made = ReleaseOrder(
        what=what,
        condition=label,
        due=due,
        from_day=_first_day(catalogue, what, today),
        given_at=at,
        by=by.strip(),
        because=because.strip(),
    )
    workspace.commit(catalogue.model_copy(update={"release_orders": (*catalogue.release_orders, made)}))
    return made


def named(release: str) -> tuple[str, date | None]:
    """Label and day of a release's name.

    Raises:
        UsageError: it is none.
    """
    found = _NAME.fullmatch(release)
    try:
        due = date.fromisoformat(found["due"]) if found and found["due"] else None
    except ValueError:
        found = None
        due = None
    if found is None:
        raise UsageError(
            f"{release!r} names no release.", "Give LABEL or LABEL@YYYY-MM-DD; see: ceir release"
        )
    return found["label"], due


def standings(workspace: Workspace, engine: Engine) -> tuple[Run | None, Policy, tuple[ReleaseStanding, ...]]:
    """Where every release stands at the newest run, the newest first; with that run and its policy."""
    catalogue = workspace.catalogue()
    policy, _ = workspace.policy()
    if not catalogue.runs:
        return None, policy, ()
    run = catalogue.runs[-1]
    policy, _ = load_policy(workspace.root / "policies" / f"{run.policy_sha256}.toml")
    name_inputs(engine, workspace, catalogue)
    name_history(engine, workspace, "verdicts", run)
    if not name_staged(engine, policy, run.releases):
        return run, policy, ()
    today = (run.as_of - date(1970, 1, 1)).days
    rows = engine.rows(
        "SELECT condition, block_on, "
        f"SUM(CASE WHEN release_on <= {today} THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN release_on > {today} THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN release_on IS NULL THEN 1 ELSE 0 END), "
        f"MIN(CASE WHEN release_on > {today} THEN release_on END) "
        "FROM staged GROUP BY condition, block_on ORDER BY block_on DESC, condition"
    )
    pauses = {state.condition: state.pauses for state in run.releases}
    found = []
    for label, block_on, out, ahead, held, following in rows:
        due = day_of(int(str(block_on)))
        open_ones = [p for p in pauses.get(str(label), ()) if p.until is None and p.due in (None, due)]
        found.append(
            ReleaseStanding(
                condition=str(label),
                due=due,
                out=int(str(out)),
                ahead=int(str(ahead)),
                held=int(str(held)),
                next_on=day_of(int(str(following))) if following is not None else None,
                pause=min(open_ones, key=lambda p: p.from_day or date.min, default=None),
            )
        )
    return run, policy, tuple(found)


def _first_day(catalogue: Catalogue, what: What, today: date) -> date:
    """The first day that an order changes: the one after the lists that are out, or after the newest run."""
    published = [run for run in catalogue.runs if run.publications]
    runs = published if published and what != "resume" else list(catalogue.runs)
    return max(run.as_of for run in runs) + timedelta(days=1) if runs else today
