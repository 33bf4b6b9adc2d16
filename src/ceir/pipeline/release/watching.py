"""Where the blocks that come step by step stand at a run, and whether something speaks for stopping them."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from ceir.clock import day_number
from ceir.pipeline.catalogue import Catalogue, Pause, ReleaseOrder, ReleaseState, Run
from ceir.pipeline.engines import Engine
from ceir.pipeline.release.dating import name_staged
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import source_named

OBEYED_AFTER_DAYS = 3
"""Days that networks have to obey a list: equipment seen within them says nothing against its release."""

SECONDS_A_DAY = 86_400


def release_states(
    engine: Engine,
    workspace: Workspace,
    catalogue: Catalogue,
    policy: Policy,
    history: Run | None,
    as_of: date,
) -> tuple[ReleaseState, ...]:
    """The state of every condition that is released step by step, as a run of the day keeps it.

    What was out after the run before is held against the policy's limits; above one of them the condition
    stops from the day after that run on, and stays stopped until a person resumes it. Reads the relations
    `verdicts`, `malformed`, `appeals`, `complaints`, `pairings`, `observations`.
    """
    staged = policy.release.staged
    if not staged:
        return ()
    before = {state.condition: state.stops for state in (history.releases if history else ())}
    states = [
        ReleaseState(
            condition=label,
            stops=before.get(label, ()),
            pauses=pauses_of(label, before.get(label, ()), catalogue.release_orders),
        )
        for label in staged
    ]
    if history is not None:
        name_staged(engine, policy, states, name="staged_before")
        _name_sightings(engine, workspace, catalogue)
        states = [_watched(engine, policy, catalogue, state, history.as_of) for state in states]
    name_staged(engine, policy, states)
    return tuple(_counted(engine, state, as_of) for state in states)


def pauses_of(label: str, stops: Sequence[Pause], orders: Sequence[ReleaseOrder]) -> tuple[Pause, ...]:
    """When nothing of a condition is let out: what stopped by itself, and what people ordered."""
    resumed = [o.from_day for o in orders if o.condition == label and o.what == "resume" and o.due is None]
    found = [
        stop.model_copy(
            update={"until": min((d for d in resumed if stop.from_day and d > stop.from_day), default=None)}
        )
        for stop in stops
    ]
    ordered: list[Pause] = []
    for order in (o for o in orders if o.condition == label):
        if order.what == "resume":
            ordered = [
                p.model_copy(update={"until": max(order.from_day, p.from_day or order.from_day)})
                if p.until is None and p.due == order.due
                else p
                for p in ordered
            ]
        else:
            start = order.from_day if order.what == "stop" else None
            ordered.append(
                Pause(from_day=start, until=None, due=order.due, by=order.by, because=order.because)
            )
    return tuple(p for p in (*found, *ordered) if p.from_day is None or p.from_day != p.until)


def is_stopped(state: ReleaseState) -> bool:
    """Whether nothing more of the condition is let out now."""
    return any(p.until is None and p.due is None for p in state.pauses)


def _watched(
    engine: Engine, policy: Policy, catalogue: Catalogue, state: ReleaseState, seen_on: date
) -> ReleaseState:
    """The state with what was counted, stopped if that is above a limit."""
    label = state.condition
    release = policy.release.staged[label]
    if is_stopped(state) or not release.limits:
        return state
    resumed = [o.from_day for o in catalogue.release_orders if o.condition == label and o.what == "resume"]
    since = day_number(max(resumed)) if resumed else 0
    out = (
        f"(SELECT imei, condition, release_on FROM staged_before WHERE condition = '{label}' "
        f"AND release_on <= {day_number(seen_on)})"
    )
    released = _count(engine, f"SELECT COUNT(*) FROM {out} AS r")
    signals = {name: _count(engine, _SIGNALS[name].format(out=out, since=since)) for name in release.limits}
    above = [
        (name, limit)
        for name, limit in release.limits.items()
        if signals[name] > release.tolerated and Decimal(signals[name] * 1000) > limit * released
    ]
    measured = state.model_copy(update={"signals": signals, "counted_of": released})
    if not above:
        return measured
    name, limit = above[0]
    stop = Pause(
        from_day=seen_on + timedelta(days=1),
        until=None,
        because=f"{signals[name]} {name} about {released} released; {limit} for 1000 are borne",
    )
    return measured.model_copy(update={"stops": (*state.stops, stop), "pauses": (*state.pauses, stop)})


_PAIRED = "LEFT JOIN (SELECT DISTINCT imei, imsi FROM pairings) AS p ON p.imei = o.imei AND p.imsi = o.imsi"

_SIGNALS = {
    "appeals": "SELECT COUNT(DISTINCT r.imei) FROM {out} AS r JOIN appeals AS a ON a.imei = r.imei "
    "AND a.condition = r.condition WHERE a.since >= r.release_on AND a.since >= {since}",
    "complaints": "SELECT COUNT(DISTINCT r.imei) FROM {out} AS r JOIN complaints AS c ON c.imei = r.imei "
    "WHERE c.complained_on >= r.release_on AND c.complained_on >= {since}",
    "sightings": "SELECT COUNT(DISTINCT imei) FROM ("
    f"SELECT r.imei FROM {{out}} AS r JOIN observations AS o ON o.imei = r.imei {_PAIRED} "
    f"WHERE p.imei IS NULL AND o.last_day >= r.release_on + {OBEYED_AFTER_DAYS} AND o.last_day >= {{since}} "
    f"UNION ALL SELECT r.imei FROM {{out}} AS r JOIN release_sightings AS o ON o.imei = r.imei {_PAIRED} "
    f"WHERE p.imei IS NULL AND o.ended_at >= (r.release_on + {OBEYED_AFTER_DAYS}) * {SECONDS_A_DAY} "
    f"AND o.ended_at >= {{since}} * {SECONDS_A_DAY}) AS seen",
}
"""What is counted about released equipment: each piece once, and only what came after its release."""


def _name_sightings(engine: Engine, workspace: Workspace, catalogue: Catalogue) -> None:
    source = source_named("sightings")
    paths = [
        workspace.path(path)
        for ingest in catalogue.live
        if ingest.source == source.name
        for path in ingest.files.get("data", ())
    ]
    engine.files("release_sightings", paths, source.table.columns)


def _counted(engine: Engine, state: ReleaseState, as_of: date) -> ReleaseState:
    today = day_number(as_of)
    row = engine.rows(
        f"SELECT SUM(CASE WHEN release_on <= {today} THEN 1 ELSE 0 END), "
        f"SUM(CASE WHEN release_on > {today} THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN release_on IS NULL THEN 1 ELSE 0 END) FROM staged "
        f"WHERE condition = '{state.condition}'"
    )[0]
    out, ahead, held = (int(str(n or 0)) for n in row)
    return state.model_copy(update={"out": out, "ahead": ahead, "held": held})


def _count(engine: Engine, sql: str) -> int:
    return int(str(engine.rows(sql)[0][0]))
