"""Facts, rules and lists keep to the SQL that every engine takes alike, see `ceir.pipeline.engines`."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import pytest
import sqlglot
from sqlglot import ErrorLevel
from sqlglot import expressions as exp

from ceir.facts import Context, all_facts
from ceir.lists import all_lists
from ceir.pipeline.engines.spark import spark_sql
from ceir.rules import all_rules
from ceir.rungs import all_rungs
from ceir.workings import all_workings

CONTEXTS = (
    Context(
        end=20_758,
        start=20_600,
        home_prefixes=("11101", "111020"),
        allocation_delays={35: 20, 1: 40},
        exempt_device_types=("Modem", "Driver's unit"),
        parameters={"identity": "imsi"},
    ),
    Context(end=20_758, start=20_600, parameters={"identity": "msisdn", "ignore_delays": True}),
)
DEFAULTS = {
    name: value
    for declared in (*all_facts().values(), *all_workings().values())
    for name, value in declared.defaults.items()
}
"""With everything a policy may say, and with as little as it may."""

TYPES = {exp.DType.INT, exp.DType.BIGINT, exp.DType.BOOLEAN, exp.DType.VARCHAR, exp.DType.TEXT}

FORBIDDEN: dict[type[exp.Expression], str] = {
    exp.Array: "a list",
    exp.List: "a list",
    exp.ArrayAgg: "a list",
    exp.Explode: "a list",
    exp.Bracket: "an element of a list",
    exp.Lambda: "a function over a list",
    exp.Struct: "a struct",
    exp.Map: "a map",
    exp.Dot: "a field of a struct",
    exp.Div: "a division that is no whole number everywhere: use //",
    exp.Interval: "an interval: days are whole numbers",
    exp.Qualify: "QUALIFY",
    exp.Pivot: "PIVOT",
    exp.TableSample: "a sample",
    exp.Limit: "LIMIT: which rows it leaves depends on the engine",
}

FUNCTIONS = {
    *("And", "Or", "Not", "If", "Case", "Cast", "Coalesce", "Upper", "Replace", "Substring", "Pad"),
    *("Count", "Sum", "Min", "Max", "BitwiseOrAgg", "LogicalOr", "Lag", "Abs", "Greatest", "Least"),
    *(
        "Sqrt",
        "Floor",
        "RowNumber",
        "FirstValue",
        "Lead",
    ),  # the square root is correctly rounded on every engine
}
"""Functions known to give the same on every engine."""

UNTRANSLATED = {"BIT_COUNT"}
"""Functions that SQLGlot passes on as they are, and that all engines call so."""


def declared_sql() -> Iterator[tuple[str, str]]:
    """Every text of SQL that a declaration may give an engine, by the name of the declaration."""
    full = tuple(replace(c, parameters={**DEFAULTS, **c.parameters}) for c in CONTEXTS)
    for working in all_workings().values():
        for context in full:
            yield f"working {working.name}", placed(working.sql(context))
        if working.mates:
            yield f"working {working.name}, mates", placed(working.mates)
    for fact in all_facts().values():
        for context in full:
            sql = placed(fact.sql(context))
            if fact.evidence is not None:
                query = fact.evidence.query
                told = query(context) if callable(query) else query
                yield f"fact {fact.name}, evidence", placed(told)
            yield (
                f"fact {fact.name}",
                sql if sql.startswith("SELECT") else f"SELECT {sql} AS value FROM equipment",
            )
        yield f"fact {fact.name}, otherwise", f"SELECT {fact.otherwise} AS value FROM equipment"
    yield from rung_sql(full)
    for rule in all_rules().values():
        yield f"rule {rule.name}", f"SELECT {rule.matches} AS matches FROM facts"
        if rule.drifts is not None:
            parameters = {p.name: p.default if p.default is not None else 3 for p in rule.parameters}
            yield f"rule {rule.name}, drifts", rule.drifts(parameters, 20_757, 20_758)
    for entry in all_lists().values():
        yield f"list {entry.name}", entry.sql
        for change, reason in entry.reasons.items():
            yield f"list {entry.name}, {change}", f"SELECT {reason} AS reason FROM rows"


def rung_sql(contexts: tuple[Context, ...]) -> Iterator[tuple[str, str]]:
    """Every text of SQL of the ladder."""
    for rung in all_rungs().values():
        for context in contexts:
            yield f"rung {rung.name}", placed(rung.sql(context))
            for name, sql in rung.tables_sql(context).items():
                yield f"rung {rung.name}, {name}", placed(sql)


def placed(sql: str) -> str:
    """A query with the names of what it reads in place."""
    names = [*all_workings(), "rows", "sightings", "fingerprints", "scope", "registrations"]
    for name in names:
        sql = sql.replace(f"{{{name}}}", name)
    return sql.replace("{months}", "(SELECT * FROM shared_rows WHERE month >= 202601)")


def faults(sql: str) -> list[str]:
    """What in a text is not portable, in words."""
    tree = sqlglot.parse_one(sql, read="duckdb")
    found = [told for kind, told in FORBIDDEN.items() if tree.find(kind)]
    for kind in tree.find_all(exp.DataType):
        if kind.this not in TYPES:
            found.append(f"the type {kind.sql('duckdb')}")
    for join in tree.find_all(exp.Join):
        on = join.args.get("on")
        equal = on is not None and any(isinstance(part, exp.EQ) for part in on.flatten())
        if join.method or not (join.kind == "CROSS" or equal or isinstance(on, exp.EQ)):
            found.append(f"a join without equality: {join.sql('duckdb')}")
    for function in tree.find_all(exp.Func):
        name = function.name.upper() if isinstance(function, exp.Anonymous) else type(function).__name__
        known = UNTRANSLATED if isinstance(function, exp.Anonymous) else FUNCTIONS
        if name not in known and type(function) not in FORBIDDEN:
            found.append(f"the function {name}: see that all engines agree on it, then add it here")
    return found


@pytest.mark.parametrize(("where", "sql"), [pytest.param(*pair, id=pair[0]) for pair in declared_sql()])
def test_declared_sql_is_portable(where: str, sql: str) -> None:
    assert faults(sql) == [], where


@pytest.mark.parametrize(("where", "sql"), [pytest.param(*pair, id=pair[0]) for pair in declared_sql()])
def test_declared_sql_is_translated_for_spark_without_a_warning(
    where: str, sql: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="sqlglot"):
        translated = spark_sql(sql)
    assert [record.getMessage() for record in caplog.records] == [], where
    assert sqlglot.parse_one(translated, read="spark", error_level=ErrorLevel.RAISE)


def test_every_declaration_is_looked_at() -> None:
    looked_at = {where.split(",")[0] for where, _ in declared_sql()}
    declared = chain(
        (f"fact {name}" for name in all_facts()),
        (f"working {name}" for name in all_workings()),
        (f"rung {name}" for name in all_rungs()),
        (f"rule {name}" for name in all_rules()),
        (f"list {name}" for name in all_lists()),
    )
    assert looked_at == set(declared)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.x FROM a ASOF JOIN b ON a.day >= b.day",
        "SELECT a.x FROM a JOIN b ON a.day BETWEEN b.first_day AND b.last_day",
        "SELECT a.x FROM a JOIN b ON a.day >= b.day",
        "SELECT [1, 2] AS x",
        "SELECT LIST(x) FROM a",
        "SELECT x[1] FROM a",
        "SELECT UNNEST(x) FROM a",
        "SELECT LIST_SUM(x) FROM a",
        "SELECT {'x': 1} AS x",
        "SELECT CAST(x AS UBIGINT) FROM a",
        "SELECT x::HUGEINT FROM a",
        "SELECT CAST(x AS DATE) FROM a",
        "SELECT x / 2 FROM a",
        "SELECT APPROX_COUNT_DISTINCT(x) FROM a",
        "SELECT STRLEN(x) FROM a",
        "SELECT CURRENT_DATE",
        "SELECT RANDOM()",
    ],
)
def test_what_engines_take_differently_is_found(sql: str) -> None:
    assert faults(sql) != []
