"""From a policy to SQL: its facts as columns, its conditions as bits of one number, one scan over all."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import sqlglot
from sqlglot import expressions as exp

from ceir.clock import day_number, day_of, months_before
from ceir.errors import CeirError
from ceir.facts import Context, Fact, all_facts
from ceir.facts.declaration import WINDOW_PARAMETERS
from ceir.pipeline.classify.claiming import Claiming, claiming_of, score_use
from ceir.pipeline.classify.inputs import SHARED
from ceir.pipeline.classify.preparing import (
    Frozen,
    Relation,
    RowsView,
    relations_of,
    without_day,
    working_names,
)
from ceir.policy import Condition, Policy, RuleUse
from ceir.rules import Rule
from ceir.rules.declaration import Value
from ceir.weights.scale import scale_of
from ceir.weights.scoring import score_sql, signals_sql
from ceir.workings import Working, all_workings

DAY_AFTER = "day_after"
"""A name every rule may use: the day after the day of the run, as a day number."""


class DeclarationError(CeirError):
    """A rule or a fact of this installation is declared wrongly."""

    code = "declaration_invalid"


@dataclass(frozen=True)
class FactColumn:
    """A fact with the parameters that a policy gives it, as a column of the fact table.

    Args:
        relations: the workings it reads.
    """

    column: str
    fact: Fact
    context: Context
    known: bool
    relations: tuple[Relation, ...] = ()

    @property
    def rows(self) -> RowsView | None:
        """The view of observations it reads: those of its window, of shared or of all equipment."""
        return RowsView.of(self.fact.rows, self.context)

    def placed(self, sql: str) -> str:
        """A query of the fact with the names of what it reads in place."""
        if self.rows is not None:
            sql = sql.replace("{rows}", self.rows.name)
        for relation in self.relations:
            sql = sql.replace(f"{{{relation.working.name}}}", relation.name)
        return sql


@dataclass(frozen=True)
class Compiled:
    """A policy on a day, ready to run.

    Args:
        end: day after the day of the run.
        facts: columns in a stable order.
        relations: the workings that they read, each after those it reads itself.
        conditions: label, its bit, and its predicate over the fact table.
        listed: views of lists whose unseen equipment is looked at too.
        sources: list sources that the conditions rest on.
        fingerprint: changes when a rule, a fact or a parameter means something else.
    """

    end: int
    facts: tuple[FactColumn, ...]
    conditions: tuple[tuple[str, int, str], ...]
    listed: tuple[str, ...]
    sources: tuple[str, ...]
    fingerprint: str
    uses: tuple[tuple[str, RuleUse, tuple[FactColumn, ...]], ...]
    relations: tuple[Relation, ...] = ()
    claiming: Claiming | None = None

    @property
    def rows(self) -> tuple[RowsView, ...]:
        """Views of observations that its facts and workings read."""
        views = [c.rows for c in self.facts if c.known] + [r.rows for r in self.relations if r.known]
        return tuple(dict.fromkeys(view for view in views if view is not None))

    @property
    def first_month(self) -> int:
        """The first month that any window touches, as yyyymm; 0: there is no window."""
        starts = [c.context.start for c in self.facts if c.context.start is not None]
        if self.claiming is not None and self.claiming.context.start is not None:
            starts.append(self.claiming.context.start)
        day = day_of(min(starts)) if starts else None
        return day.year * 100 + day.month if day else 0


def compile_policy(policy: Policy, as_of: date, known_sources: frozenset[str]) -> Compiled:
    """Compile a policy for a day.

    Args:
        known_sources: list sources that were ever ingested; facts that rest on others are unknown.
    """
    end = day_number(as_of) + 1
    columns: dict[tuple[str, Context], FactColumn] = {}
    relations: dict[tuple[str, Context], Relation] = {}
    names: dict[str, int] = {}
    conditions: list[tuple[str, int, str]] = []
    uses: list[tuple[str, RuleUse, tuple[FactColumn, ...]]] = []
    listed: set[str] = set()
    for bit, (label, condition) in enumerate(policy.conditions.items()):
        tests = []
        for use in condition.all:
            rule = use.declaration
            needed = {
                name: _column(columns, relations, names, name, use, policy, end, known_sources)
                for name in rule.needs
            }
            uses.append((label, use, tuple(needed.values())))
            tests.append(_test(rule, use, needed, end))
            if rule.applies_to == "listed" and not use.negated:
                listed |= {name.replace("-", "_") for name in rule.lists}
        if condition.first_seen_from is not None:
            start = day_number(condition.first_seen_from)
            tests.append(f"COALESCE(first_day, {start}) >= {start}")
        conditions.append((label, 1 << bit, " AND ".join(f"({test})" for test in tests)))
    facts = tuple(columns.values())
    claiming = claiming_of(policy, known_sources, _on(policy, end), relations)
    made = tuple(relations.values())
    sources = sorted(
        {s for c in facts for s in c.fact.sources(c.context)}
        | {s for r in made for s in r.sources}
        | (claiming.sources if claiming else frozenset())
    )
    return Compiled(
        end=end,
        facts=facts,
        conditions=tuple(conditions),
        listed=tuple(sorted(listed)),
        sources=tuple(sources),
        fingerprint=_fingerprint(facts, made, policy, claiming),
        uses=tuple(uses),
        relations=made,
        claiming=claiming,
    )


def facts_sql(compiled: Compiled, subjects: str) -> str:
    """SELECT of every fact of every row of `subjects`: its columns imei, text, first_day, last_day, and the
    facts."""
    joins, values = [], []
    for number, column in enumerate(compiled.facts):
        fact, sql = column.fact, column.fact.sql(column.context)
        if not column.known:
            values.append(f"CAST(NULL AS {fact.type}) AS {column.column}")
        elif fact.expression is not None:
            values.append(f"CAST({_qualified(sql)} AS {fact.type}) AS {column.column}")
        else:
            query = column.placed(sql)
            joins.append(f" LEFT JOIN ({query}) AS f{number} ON f{number}.{fact.key} = s.{fact.key}")
            otherwise = _qualified(fact.otherwise)
            values.append(f"CAST(COALESCE(f{number}.value, {otherwise}) AS {fact.type}) AS {column.column}")
    chosen = "".join(f", {value}" for value in values)
    return (
        f"SELECT s.imei, s.first_day AS first_day, s.last_day AS last_day{chosen} "
        f"FROM {subjects} AS s{''.join(joins)}"
    )


def matched_sql(compiled: Compiled, facts: str) -> str:
    """SELECT of the equipment that some condition matches: `matched` (a mask) and the facts."""
    mask = " + ".join(f"CASE WHEN {test} THEN {bit} ELSE 0 END" for _, bit, test in compiled.conditions)
    columns = ", ".join(("imei", "first_day", "last_day", *(c.column for c in compiled.facts)))
    return (
        f"SELECT * FROM (SELECT {columns}, CAST({mask} AS BIGINT) AS matched FROM ({facts}) AS facts) AS "
        f"judged "
        "WHERE matched <> 0"
    )


def suspicions(compiled: Compiled, policy: Policy) -> dict[str, tuple[RuleUse, str, str, int]]:
    """For each condition that rests on the score: its rule, its score and signals as SQL over `matched`, its
    bit."""
    found = {}
    for label, bit, _ in compiled.conditions:
        use = score_use(policy.conditions[label])
        if use is None:
            continue
        columns = next(c for owner, u, c in compiled.uses if owner == label and u == use)
        names = {c.fact.name: c.column for c in columns}
        weights = scale_of(use.parameters).weights
        score, signals = (
            bound_predicate(sql, names, {}, f"The weights {weights.name}")
            for sql in (score_sql(weights), signals_sql(weights))
        )
        found[label] = (use, score, signals, bit)
    return found


def drifts_sql(before: Compiled, after: Compiled) -> list[str]:
    """SELECTs of `imei` whose conditions may change from one day to a later one without any new data.

    Args:
        before: the policy compiled for the earlier day.
    """
    selects: set[str] = set()
    for view in before.rows:
        shared = f"{SHARED} AND " if view.kind == "shared" else ""
        # Equipment last seen before the old window is in neither window.
        selects.add(f"SELECT imei FROM equipment WHERE {shared}last_day >= {view.start}")
    for relation in before.relations:
        selects |= set(relation.drifts(before.end, after.end))
    for _, use, needed in after.uses:
        drifts = use.declaration.drifts
        if drifts is not None and all(column.known for column in needed):
            selects.add(drifts(use.parameters, before.end, after.end))
    return sorted(selects)


def bound_predicate(
    predicate: str, needs: Mapping[str, str], parameters: Mapping[str, Value], where: str
) -> str:
    """A rule's predicate with facts replaced by columns and parameters by their values.

    Raises:
        DeclarationError: it names something that is neither.
    """
    tree = sqlglot.parse_one(predicate, read="duckdb")

    def bind(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Column):
            return node
        if node.name in needs:
            return exp.column(needs[node.name])
        if node.name in parameters:
            return _literal(parameters[node.name])
        raise DeclarationError(
            f"{where} names {node.name!r}, which is neither one of its facts nor a parameter.",
            f"Facts: {', '.join(needs)}; parameters: {', '.join(parameters) or 'none'}.",
        )

    return tree.transform(bind).sql(dialect="duckdb")


def _literal(value: Value) -> exp.Expression:
    match value:
        case None:
            return exp.null()
        case bool():
            return exp.true() if value else exp.false()
        case int():
            return exp.Literal.number(value)
        case Decimal():
            return exp.Literal.number(f"{value:f}")
        case str():
            return exp.Literal.string(value)


def _test(rule: Rule, use: RuleUse, needed: Mapping[str, FactColumn], end: int) -> str:
    """SQL that is true where the rule (turned round if negated) is known to match."""
    if not all(column.known for name, column in needed.items() if name not in rule.may_lack):
        return "NULL"  # something it rests on was never told: it can neither match nor be known not to
    values = {**use.parameters, DAY_AFTER: end}
    columns = {name: column.column for name, column in needed.items()}
    predicate = bound_predicate(rule.matches, columns, values, f"Rule {rule.name}")
    if use.negated:
        return f"first_day IS NOT NULL AND NOT ({predicate})"
    return f"first_day IS NOT NULL AND ({predicate})" if rule.applies_to == "seen" else predicate


def _column(
    columns: dict[tuple[str, Context], FactColumn],
    relations: dict[tuple[str, Context], Relation],
    names: dict[str, int],
    name: str,
    use: RuleUse,
    policy: Policy,
    end: int,
    known_sources: frozenset[str],
) -> FactColumn:
    fact = all_facts().get(name)
    if fact is None:
        raise DeclarationError(f"Rule {use.rule} needs the fact {name!r}, which does not exist.")
    workings = working_names(fact.workings)
    declared: tuple[Fact | Working, ...] = (fact, *(all_workings()[w] for w in workings))
    parameters = dict.fromkeys(p for d in declared for p in d.parameters)
    defaults = {name: value for d in declared for name, value in d.defaults.items()}
    given = {
        p: use.parameters[p] if use.parameters.get(p) is not None else defaults.get(p) for p in parameters
    }
    given = {p: value for p, value in given.items() if value is not None}
    windowed = fact.rows != "none" or any(p in WINDOW_PARAMETERS for p in parameters)
    context = replace(
        _on(policy, end),
        start=_start(given, end) if windowed else None,
        parameters=Frozen({k: v for k, v in given.items() if k not in WINDOW_PARAMETERS}),
    )
    key = (name, context)
    if key not in columns:
        names[name] = names.get(name, 0) + 1
        column = name if names[name] == 1 else f"{name}_{names[name]}"
        read = relations_of(fact.workings, context, relations, known_sources)
        known = all(source in known_sources for source in fact.sources(context)) and all(
            r.known for r in read
        )
        columns[key] = FactColumn(column, fact, context, known, read)
    return columns[key]


def _on(policy: Policy, end: int) -> Context:
    """What all facts of a policy share on a day."""
    return Context(
        end=end,
        home_prefixes=policy.home_prefixes,
        allocation_delays=Frozen({int(body): days for body, days in policy.reporting_body_delays.items()}),
        exempt_device_types=tuple(sorted(policy.exempt_device_types)),
    )


def _start(given: Mapping[str, object], end: int) -> int:
    """First day of the window that ends before `end`."""
    if "window_months" in given:
        return day_number(months_before(day_of(end), int(str(given["window_months"]))))
    for name in WINDOW_PARAMETERS:
        if name in given:
            return end - int(str(given[name]))
    raise DeclarationError("A fact over observations needs a window, and its rule gives it none.")


def _qualified(expression: str) -> str:
    """An expression over `equipment` with its columns taken from the alias `s`."""
    tree = sqlglot.parse_one(expression, read="duckdb")
    return tree.transform(
        lambda node: exp.column(node.name, table="s") if isinstance(node, exp.Column) else node
    ).sql(dialect="duckdb")


def _fingerprint(
    facts: Sequence[FactColumn], relations: Sequence[Relation], policy: Policy, claiming: Claiming | None
) -> str:
    parts = [f"{relation.name}={relation.meaning()}" for relation in relations]
    for column in facts:
        fixed = without_day(column.context)
        parts.append(f"{column.column}={column.known}:{column.fact.sql(fixed)}:{column.fact.otherwise}")
    for label, condition in policy.conditions.items():
        parts.append(f"{label}={_meaning(condition)}")
    if claiming is not None:
        parts.append(f"claims={claiming.fingerprint}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _meaning(condition: Condition) -> str:
    rules = [(u.rule, u.negated, sorted(u.parameters.items()), u.declaration.matches) for u in condition.all]
    return repr((rules, condition.model_dump(exclude={"all", "title", "reason"})))
