"""The last months once more under another policy, beside the workspace: nothing in it is changed.

Both policies, the new one and the one in force, are replayed day by day from the same files and the same
verdicts, each in a scratch workspace of its own, by the same code that makes real runs.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import ceir
from ceir.clock import day_number
from ceir.errors import CeirError, UsageError
from ceir.pipeline.catalogue import Catalogue, Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.claiming import name_past_claims
from ceir.pipeline.classify.inputs import name_inputs, observation_ingests
from ceir.pipeline.classify.running import Request, classify, last_day_observed
from ceir.pipeline.engines import Engine, Limits
from ceir.pipeline.engines.engine import EngineError
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.publish.deciding import name_decisions, name_lines
from ceir.pipeline.what_if.expecting import calibrated_conditions, expected_wrong
from ceir.pipeline.what_if.known import Past
from ceir.pipeline.what_if.measuring import AGES, MOST_MODELS, Measured, name_places, region_name
from ceir.pipeline.what_if.result import ConditionChange, Count, Difference, Fuse, Side, WhatIf
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy, load_policy
from ceir.policy.calibration import Calibration

LOOK_BACK_DAYS = 120
"""Days replayed when nobody says since when."""

EXAMPLES = 5
"""Identities shown of those newly cut, and of those no longer cut."""


class WhatIfError(CeirError):
    """There is nothing to replay, or it changed under the replay's hands."""

    code = "what_if_refused"


@dataclass(frozen=True)
class WhatIfRequest:
    """What is asked for.

    Args:
        policy: file or folder of the new policy.
        since: first day replayed; None: 120 days before the last one observed, or as far as there are files.
        every: days between two runs.
        lists: as they were `then`, day by day, or as they are `now`, on every day.
        calibration: what was measured of conditions, and the SHA-256 of its file; None: nothing.
    """

    policy: Path
    since: date | None = None
    every: int = 7
    lists: Literal["then", "now"] = "then"
    calibration: tuple[Calibration, str] | None = None


@dataclass(frozen=True)
class Replayed:
    """A replay's scratch workspace with its runs, oldest first, and what was measured."""

    workspace: Workspace
    policy: Policy
    sha256: str
    runs: tuple[Run, ...]
    measured: Measured


def what_if(
    workspace: Workspace,
    request: WhatIfRequest,
    engine: Engine,
    scratch: Path,
    limits: Limits,
    progress: Progress = SILENT,
) -> WhatIf:
    """Replay the last months under a new policy and under the one in force, and compare.

    The workspace is only read, and need not be held.

    Args:
        scratch: an empty folder outside the workspace, for the runs of the replay.

    Raises:
        PolicyError: the policy cannot be obeyed.
        WhatIfError: nothing was ingested; the workspace changed meanwhile.
        UsageError: the days do not fit.
    """
    catalogue = workspace.catalogue()
    try:
        return _compared(workspace, catalogue, request, engine, scratch, limits, progress)
    except EngineError as error:
        if workspace.catalogue().sequence == catalogue.sequence:
            raise
        raise WhatIfError("Another command changed the workspace meanwhile.", "Ask again.") from error


def data_fingerprint(catalogue: Catalogue) -> str:
    """SHA-256 that changes when a file comes or goes."""
    told = "\n".join(
        f"{i.id} {i.source} {i.operator} {i.delta} {i.sha256} {i.received_on}" for i in catalogue.live
    )
    return hashlib.sha256(told.encode("utf-8")).hexdigest()


def replay_days(past: Past, since: date | None, every: int) -> tuple[date, ...]:
    """The days of the replay's runs: from the first in steps, and the last day observed.

    Raises:
        WhatIfError: nothing was observed.
        UsageError: the first day is after the last, or a step is no day.
    """
    until = last_day_observed(past.catalogue)
    if until is None:
        raise WhatIfError(
            "There are no observations to replay.", "Take some in: ceir ingest observations FILE"
        )
    if every < 1:
        raise UsageError(f"Runs every {every} days are none.", "Give --every 1 or more.")
    arrivals = [past.arrived(i) for i in observation_ingests(past.catalogue)]
    first = since or max(until - timedelta(days=LOOK_BACK_DAYS), min(arrivals))
    if first > until:
        raise UsageError(f"{first} is after {until}, the last day observed.", "Give an earlier --since.")
    days = range(0, (until - first).days, every)
    return (*(first + timedelta(days=n) for n in days), until)


def replay(
    past: Past,
    policy_file: Path,
    days: tuple[date, ...],
    side: str,
    engine: Engine,
    root: Path,
    progress: Progress = SILENT,
) -> Replayed:
    """Classify day by day in a scratch workspace, continuing the run before the first day.

    Args:
        side: what the relations measured begin with.
        root: a folder that does not exist.
    """
    scratch = Workspace.create(root, policy_file)
    policy, sha256 = scratch.policy()
    history = past.run_before(days[0])
    measured = Measured(engine, side, policy, "subscribers" in past.catalogue.lists)
    if history is not None:
        folder = f"runs/{history.id:05d}"
        carried = [f"{folder}/verdicts", f"{folder}/suspects", *([history.claims] if history.claims else [])]
        for place in carried:
            if past.workspace.path(place).exists():
                shutil.copytree(past.workspace.path(place), scratch.path(place))
    _begin(past, scratch, history, measured)
    runs: list[Run] = []
    accepted = dict.fromkeys(policy.conditions, "only to see what would happen")
    with progress.step(f"Replaying {policy.name} {policy.version}", float(len(days)), "runs") as step:
        for number, day in enumerate(days, 1):
            if _arrive(past, scratch, history, day):
                run, _ = classify(scratch, Request(day, accepted), engine)
                name_history(engine, scratch, "verdicts", run)
                name_decisions(engine, policy, day_number(day), run.releases)
                name_past_claims(engine, scratch, "claims", run)
                name_lines(engine, day_number(day))
                measured.step(day)
                runs.append(run)
            step.at(number)
    if not runs:
        raise WhatIfError(
            "No file counts on any of the days.", "Give a later last day, or an earlier --since."
        )
    return Replayed(scratch, policy, sha256, tuple(runs), measured)


def _begin(past: Past, scratch: Workspace, history: Run | None, measured: Measured) -> None:
    """Name what stood before the replay, as the policy of that day decided it."""
    if history is None:
        measured.begin(None)
        return
    engine = measured.engine
    kept = past.workspace.root / "policies" / f"{history.policy_sha256}.toml"
    before, _ = load_policy(kept)
    name_inputs(engine, scratch, past.on(history.as_of))
    name_history(engine, scratch, "verdicts", history)
    name_decisions(engine, before, day_number(history.as_of), history.releases)
    name_past_claims(engine, scratch, "claims", history)
    name_lines(engine, day_number(history.as_of))
    measured.begin(history.as_of)


def _arrive(past: Past, scratch: Workspace, history: Run | None, day: date) -> bool:
    """Put in force what was there on a day; False: nothing was."""
    there = past.on(day)
    now = scratch.catalogue()
    runs = now.runs or ((history,) if history else ())
    later = {
        "runs": runs,
        "devices": now.devices,
        "next_run": max(now.next_run, there.next_run),
        "activations": now.activations,
    }
    scratch.commit(there.model_copy(update=later))
    return bool(there.live)


def _compared(
    workspace: Workspace,
    catalogue: Catalogue,
    request: WhatIfRequest,
    engine: Engine,
    scratch: Path,
    limits: Limits,
    progress: Progress,
) -> WhatIf:
    past = Past(workspace, catalogue, scratch / "then", limits, lists_of_today=request.lists == "now")
    days = replay_days(past, request.since, request.every)
    old_file = workspace.root / "policy.toml"
    old = replay(past, old_file, days, "old", engine, scratch / "old", progress)
    old_side, _ = _measured(old, engine)
    new = replay(past, request.policy, days, "new", engine, scratch / "new", progress)
    new_side, regions = _measured(new, engine)
    calibration = request.calibration[0] if request.calibration else None
    calibrated = calibrated_conditions(new.policy, new_side.conditions, calibration)
    budget = new.policy.budget.wrongly_cut_lines_per_1000
    history = past.run_before(days[0])
    return WhatIf(
        software=ceir.__version__,
        country=new.policy.country.name,
        data=data_fingerprint(catalogue),
        since=days[0],
        until=days[-1],
        every=request.every,
        lists=request.lists,
        continued_from=history.id if history else None,
        persons_known=new.measured.persons_known,
        new=new_side,
        in_force=old_side,
        difference=_difference(engine, old, new),
        calibration=calibrated,
        calibration_sha256=request.calibration[1] if request.calibration else None,
        expected=expected_wrong(new.policy, new.measured.masks(), calibrated),
        budget=float(budget) if budget is not None else None,
        notes=tuple(_notes(past, days, new, request, regions=regions)),
    )


def _measured(done: Replayed, engine: Engine) -> tuple[Side, bool]:
    """Everything counted of a replay whose last run the relations still hold; and whether regions are
    known."""
    measured, policy, last = done.measured, done.policy, done.runs[-1].as_of
    side = measured.side
    measured.gather(last)
    regions = name_places(engine, done.workspace, done.workspace.catalogue(), f"{side}_touched")
    measured.complete(last)
    squares: dict[object, str] = {
        int(str(square)): region_name(int(str(square)))
        for (square,) in engine.rows("SELECT DISTINCT region FROM places WHERE region IS NOT NULL")
    }
    notified, cut = (measured.total(f"{side}_{k}_devices", f"{side}_{k}_lines") for k in ("told", "cut"))
    told_last, cut_last = (
        measured.total(f"{side}_{k}_last", f"{side}_{k}_last_lines") for k in ("told", "cut")
    )
    operators: dict[object, str] = {operator.id: operator.name for operator in policy.operators}
    known = frozenset(done.workspace.catalogue().lists)
    return Side(
        name=policy.name,
        version=policy.version,
        sha256=done.sha256,
        notified=notified,
        cut=cut,
        notified_last=told_last,
        blocked_last=cut_last,
        steps=tuple(measured.steps),
        fuses=tuple(_fuses(done)),
        operators=measured.groups("operator", operators),
        regions=measured.groups("region", squares),
        makers=measured.groups("maker", most=MOST_MODELS),
        models=measured.groups("model", most=MOST_MODELS),
        ages=measured.groups("age", {n: name for n, (_, name) in enumerate(AGES)}),
        conditions=measured.conditions(),
        overlaps=measured.overlaps(known),
    ), regions


def _fuses(done: Replayed) -> Iterator[Fuse]:
    """The first day on which each condition would have stopped the run."""
    told: set[str] = set()
    for run in done.runs:
        for count in run.counts:
            limit = done.policy.conditions[count.condition].max_match_ratio
            if count.blocking and limit < 1.0 and count.share > limit and count.condition not in told:
                told.add(count.condition)
                yield Fuse(condition=count.condition, as_of=run.as_of, share=count.share, limit=limit)


def _difference(engine: Engine, old: Replayed, new: Replayed) -> Difference:
    def apart(kind: str, one: str, other: str) -> Count:
        engine.table(
            "apart",
            f"SELECT imei FROM {one}_{kind}_last WHERE imei NOT IN (SELECT imei FROM {other}_{kind}_last)",
        )
        # by line: of a device that is cut under both, some lines may go on under one only
        lines = (
            f"SELECT a.imei, a.imsi FROM {one}_{kind}_last_lines AS a "
            f"LEFT JOIN {other}_{kind}_last_lines AS b ON b.imei = a.imei AND b.imsi = a.imsi "
            "WHERE b.imei IS NULL"
        )
        engine.table("apart_lines", lines)
        return new.measured.total_apart("apart", "apart_lines")

    newly_cut, no_longer_cut = apart("cut", "new", "old"), apart("cut", "old", "new")
    before, after = (_standing(engine, done) for done in (old, new))
    labels = list(dict.fromkeys([*before, *after]))
    return Difference(
        newly_cut=newly_cut,
        no_longer_cut=no_longer_cut,
        newly_notified=apart("told", "new", "old"),
        no_longer_notified=apart("told", "old", "new"),
        conditions=tuple(
            ConditionChange(condition=label, before=before.get(label, 0), after=after.get(label, 0))
            for label in labels
        ),
        examples=tuple(
            (what, imei)
            for what, one, other in (("newly cut", "new", "old"), ("no longer cut", "old", "new"))
            for imei in _examples(engine, one, other)
        ),
    )


def _standing(engine: Engine, done: Replayed) -> dict[str, int]:
    """Devices told or cut on the last day, by blocking condition."""
    side = done.measured.side
    both = (
        f"(SELECT imei, due FROM {side}_told_last UNION ALL SELECT imei, due FROM {side}_cut_last) AS stand"
    )
    found = {}
    for bit, (label, condition) in enumerate(done.policy.conditions.items()):
        if condition.blocking:
            rows = engine.rows(f"SELECT COUNT(*) FROM {both} WHERE (due & {1 << bit}) <> 0")
            found[label] = int(str(rows[0][0]))
    return found


def _examples(engine: Engine, one: str, other: str) -> list[str]:
    rows = engine.rows(
        "SELECT CASE WHEN d.imei >= 0 THEN LPAD(CAST(d.imei AS VARCHAR), 14, '0') ELSE m.text END AS text "
        f"FROM {one}_cut_last AS d LEFT JOIN malformed AS m ON m.imei = d.imei "
        f"WHERE d.imei NOT IN (SELECT imei FROM {other}_cut_last) ORDER BY text LIMIT {EXAMPLES}"
    )
    return [str(text) for (text,) in rows]


def _notes(
    past: Past, days: tuple[date, ...], new: Replayed, request: WhatIfRequest, *, regions: bool
) -> Iterator[str]:
    """What a reader must know before believing the figures."""
    length = (days[-1] - days[0]).days
    if past.run_before(days[0]) is None:
        yield "There was no run before the first day: both replays begin without verdicts."
    skipped = len(days) - len(new.runs)
    if skipped:
        yield f"On the first {skipped} days of the replay no file had come: they are left out."
    slow = [label for label, c in new.policy.conditions.items() if c.blocking and c.grace_days > length]
    if slow:
        yield (
            f"The replay of {length} days is shorter than the grace of: {', '.join(slow)}. "
            "What they find now is notified here and would be cut later."
        )
    if request.lists == "then":
        late = sorted(
            name
            for name in past.catalogue.lists
            if all(past.arrived(i) > days[0] for i in past.catalogue.live if i.source == name)
        )
        if late:
            yield (
                f"Lists that came after the first day were unknown until then: {', '.join(late)}. "
                "With today's lists on every day: --lists now."
            )
    stripped = sorted({month for i in past.catalogue.live for month in i.stripped_months})
    if stripped:
        yield (
            f"Subscribers up to {stripped[-1] // 100}-{stripped[-1] % 100:02d} are no longer kept: what is "
            "counted over those months is too low."
        )
    if not new.measured.persons_known:
        yield "No list of subscribers was ever taken in: how many persons there are is unknown."
    if not regions:
        yield "Regions are unknown: they need sightings and the places of cells."
