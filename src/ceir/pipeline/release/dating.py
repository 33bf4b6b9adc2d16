"""When a block that comes step by step comes: a function of the policy, the verdict and the days it paused.

A keyed hash of the identity puts equipment in an order that is the same for every condition and every run.
The first step's share of that order is blocked so many days after its grace is over, and so on; days of a
pause do not count. Nothing is drawn and nothing is remembered of single devices, so the same inputs, policy
and day give the same lists, and a device can be told its true day from the first notice on.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from ceir.clock import day_number
from ceir.pipeline.catalogue import Pause, ReleaseState
from ceir.pipeline.engines import Engine
from ceir.policy import Policy
from ceir.policy.brakes import ConditionRelease

HEX_DIGITS = 8
"""Of the hash: four thousand million places, so that a share is met to the device."""

Interval = tuple[int, int | None]
"""First day of a pause and the first after it, as day numbers; -1: since ever, None: still."""

_EMPTY = (
    "SELECT CAST(NULL AS BIGINT) AS imei, CAST(NULL AS VARCHAR) AS condition, "
    "CAST(NULL AS INTEGER) AS block_on, "
    "CAST(NULL AS INTEGER) AS release_on WHERE 1 = 0"
)


def name_staged(
    engine: Engine,
    policy: Policy,
    states: Iterable[ReleaseState],
    *,
    name: str = "staged",
    verdicts: str = "verdicts",
) -> bool:
    """Name a relation (imei, condition, block_on, release_on) of the verdicts whose block comes step by step.

    `block_on` is the day on which the grace is over, `release_on` the day on which the block comes; null:
    nobody knows, because its release is stopped or was undone. Reads `verdicts` and `malformed`.

    Returns: whether the policy has such conditions; if not, the relation is empty.
    """
    pauses = {state.condition: state.pauses for state in states}
    parts = [
        _condition_sql(label, release, policy.release.key, pauses.get(label, ()), verdicts)
        for label, release in policy.release.staged.items()
    ]
    if not parts:
        engine.view(name, _EMPTY)
        return False
    engine.table(name, " UNION ALL ".join(parts))
    return True


def bucket_limit(share: Decimal) -> str:
    """The first place of the order that a share does not reach, as hexadecimal text of fixed width."""
    return f"{int(share * 16**HEX_DIGITS):0{HEX_DIGITS}x}"


def intervals(pauses: Iterable[Pause]) -> list[Interval]:
    """Pauses as spans of days that do not touch each other, in order."""
    spans: list[Interval] = [
        (day_number(p.from_day) if p.from_day else -1, day_number(p.until) if p.until else None)
        for p in pauses
        if p.until is None or p.from_day is None or p.from_day < p.until
    ]
    joined: list[Interval] = []
    for start, end in sorted(spans, key=lambda span: span[0]):
        if joined and (joined[-1][1] is None or start <= joined[-1][1]):
            before = joined[-1][1]
            later = None if before is None or end is None else max(before, end)
            joined[-1] = (joined[-1][0], later)
        else:
            joined.append((start, end))
    return joined


def _condition_sql(
    label: str, release: ConditionRelease, key: str, pauses: Sequence[Pause], verdicts: str
) -> str:
    """SELECT of the verdicts of one condition; equipment due on a day with pauses of its own apart."""
    text = "CASE WHEN v.imei >= 0 THEN LPAD(CAST(v.imei AS VARCHAR), 14, '0') ELSE m.text END"
    bucket = f"SUBSTRING(MD5(CONCAT('{key}:', {text})), 1, {HEX_DIGITS})"
    rows = (
        f"SELECT v.imei, v.condition, v.block_on, {bucket} AS bucket FROM {verdicts} AS v "
        "LEFT JOIN malformed AS m ON m.imei = v.imei "
        f"WHERE v.condition = '{label}' AND v.block_on IS NOT NULL"
    )
    *earlier, last = release.steps
    steps = " ".join(f"WHEN bucket < '{bucket_limit(step.share)}' THEN {step.day}" for step in earlier)
    delay = f"CASE {steps} ELSE {last.day} END" if steps else str(last.day)
    dated = (
        f"SELECT imei, condition, block_on, CAST(block_on + {delay} AS INTEGER) AS release_on "
        f"FROM ({rows}) AS r"
    )
    apart: list[date] = sorted({p.due for p in pauses if p.due is not None})
    of_all = [p for p in pauses if p.due is None]
    days = ", ".join(str(day_number(day)) for day in apart)
    rest = f"SELECT * FROM ({dated}) AS d" + (f" WHERE block_on NOT IN ({days})" if apart else "")
    parts = [_paused_sql(rest, intervals(of_all))]
    for day in apart:
        own = [*of_all, *(p for p in pauses if p.due == day)]
        mine = f"SELECT * FROM ({dated}) AS d WHERE block_on = {day_number(day)}"
        parts.append(_paused_sql(mine, intervals(own)))
    return " UNION ALL ".join(parts)


def _paused_sql(rows: str, spans: Sequence[Interval]) -> str:
    """The rows with the day of release put off by each pause that it falls into."""
    for start, end in spans:
        if end is None:
            later = f"CASE WHEN release_on >= {start} THEN CAST(NULL AS INTEGER) ELSE release_on END"
        else:
            waited = f"{end} - CASE WHEN block_on > {start} THEN block_on ELSE {start} END"
            later = (
                f"CASE WHEN release_on >= {start} AND block_on < {end} "
                f"THEN CAST(release_on + {waited} AS INTEGER) ELSE release_on END"
            )
        rows = f"SELECT imei, condition, block_on, {later} AS release_on FROM ({rows}) AS p"
    return rows
