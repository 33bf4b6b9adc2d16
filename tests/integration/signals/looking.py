"""What is known of identities under a policy: facts, from rows that never were files."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from ceir.clock import day_number
from ceir.pipeline.classify.compiling import compile_policy
from ceir.pipeline.classify.inputs import equipment_sql, fold_sql
from ceir.pipeline.classify.running import evaluate
from ceir.pipeline.engines import Engine
from ceir.pipeline.engines.engine import empty_select
from ceir.policy.loading import parse_policy
from ceir.sources import all_sources
from ceir.tables import Column
from ceir.tables.malformed import TABLE as MALFORMED
from ceir.tables.observations import TABLE as OBSERVATIONS

D = date(2026, 3, 31)
"""The day of the run."""

HEAD = """
name = "signals"
[country]
name = "Signalia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[conditions.all]
all = [{ rule = "used_by_home_subscriber", look_back_days = 180 }]
reason = "All"
"""

Row = tuple[object, ...]
Rows = Sequence[Row]


def condition(rule: str, parameters: str) -> str:
    """A trial with one rule."""
    return f'[conditions.{rule}]\nall = [{{ rule = "{rule}", {parameters} }}]\nreason = "{rule}"\n'


def imsi(number: int, operator: int = 1) -> int:
    """A subscriber of an operator, in the stored form."""
    return int(f"11110{operator}{number:010d}")


def day(ago: int) -> int:
    """The day so many days before the run."""
    return day_number(D) - ago


def moment(ago: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """A moment so many days before the run."""
    midnight = datetime.combine(D - timedelta(days=ago), datetime.min.time(), UTC)
    return int(midnight.timestamp()) + hour * 3600 + minute * 60 + second


def used(imei: int, who: int, *ago: int, rats: int = 32, operator: int = 1) -> list[Row]:
    """Observations: seen with a subscriber so many days before the run."""
    months: dict[int, int] = {}
    for n in ago:
        on = D - timedelta(days=n)
        key = on.year * 100 + on.month
        months[key] = months.get(key, 0) | 1 << (on.day - 1)
    rows: list[Row] = []
    for month, mask in months.items():
        first = day_number(date(month // 100, month % 100, 1))
        days = (first + (mask & -mask).bit_length() - 1, first + mask.bit_length() - 1)
        number = 1_220_000_000_000 + who
        rows.append((month, f"operator{operator}", imei, imsi(who, operator), number, *days, mask, rats))
    return rows


def sighted(imei: int, who: int, cell: str, start: int, end: int, operator: int = 1) -> Row:
    """A sighting."""
    return (f"operator{operator}", imei, imsi(who, operator), cell, start, end)


def shown(
    imei: int,
    who: int,
    ago: int,
    version: int | None = None,
    capability: str | None = None,
    agent: str | None = None,
) -> Row:
    """A fingerprint."""
    return ("operator1", imei, imsi(who), day(ago), version, capability, agent)


def facts_of(
    engine: Engine, policy: str, observations: Rows, only: Iterable[int] = (), **sources: Rows
) -> dict[int, dict[str, object]]:
    """The facts of each identity on day D.

    Args:
        policy: conditions after the head.
        only: look at these only, as a run does that looks at what changed.
        sources: rows of sources by the name of their view, in the order of their columns; lists may leave out
            `since`. One that is not given was never told.
    """
    fill(engine, "observations", OBSERVATIONS.columns, observations)
    fill(engine, "malformed", MALFORMED.columns, ())
    for source in all_sources().values():
        if source.folded != "months":
            rows = sources.get(source.view, ())
            width = len(source.table.columns)
            fill(engine, source.view, source.table.columns, [(*r, *[0] * (width - len(r))) for r in rows])
    known = frozenset(s.name for s in all_sources().values() if s.view in sources)
    compiled = compile_policy(parse_policy(HEAD + policy, "here"), D, known)
    engine.table("devices", fold_sql("observations"))
    engine.view("equipment", equipment_sql("devices", compiled.listed))
    scope = None
    if only:
        engine.table("scope", " UNION ".join(f"SELECT CAST({imei} AS BIGINT) AS imei" for imei in only))
        scope = "scope"
    evaluate(engine, compiled, scope, keep_all=True)
    names = ["imei", "matched", *(c.column for c in compiled.facts)]
    found = engine.rows(f"SELECT {', '.join(names)} FROM matched")
    return {int(str(row[0])): dict(zip(names, row, strict=True)) for row in found}


def fill(engine: Engine, name: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Make a relation of these rows."""
    selects = [
        "SELECT "
        + ", ".join(f"CAST({_literal(v)} AS {c.type}) AS {c.name}" for v, c in zip(r, columns, strict=True))
        for r in rows
    ]
    engine.table(name, " UNION ALL ".join(selects) or empty_select(columns))


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value)
