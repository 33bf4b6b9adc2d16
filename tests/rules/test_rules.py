"""Every rule, held against its own examples on the engine that runs it."""

import string
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import duckdb
import pytest
import sqlglot
from sqlglot import expressions as exp

from ceir.clock import day_number
from ceir.facts import all_facts
from ceir.pipeline.classify.compiling import DAY_AFTER, bound_predicate
from ceir.rules import Example, Rule, all_rules
from ceir.rules.declaration import Value
from ceir.sources import all_sources

RULES = all_rules()
EXAMPLES = [(rule, example) for rule in RULES.values() for example in rule.examples]

TYPES_OF_PARAMETER: dict[str, type | tuple[type, ...]] = {
    "int": int,
    "decimal": (int, Decimal),
    "bool": bool,
    "text": str,
}
TYPES_OF_FACT = {"BOOLEAN": bool, "INTEGER": int, "BIGINT": int, "VARCHAR": str}


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        yield connection


def verdict(
    duck: duckdb.DuckDBPyConnection, rule: Rule, given: Mapping[str, Value], parameters: Mapping[str, Value]
) -> bool | None:
    """What the rule's compiled predicate says about these facts; None: it cannot tell.

    As in a run, a rule about seen equipment says nothing of equipment without a first day.
    """
    types = {name: all_facts()[name].type for name in rule.needs}
    columns = {name: f"fact_{name}" for name in rule.needs}
    values = {p.name: p.default for p in rule.parameters} | dict(parameters)
    rule = rule.under(values)
    predicate = bound_predicate(rule.matches, columns, values, rule.name)
    if rule.applies_to == "seen" and "first_seen" in rule.needs:
        predicate = f"{columns['first_seen']} IS NOT NULL AND ({predicate})"
    facts = ", ".join(f"CAST(? AS {types[name]}) AS {columns[name]}" for name in rule.needs)
    query = f"SELECT {predicate} FROM (SELECT {facts})"
    row = duck.execute(query, [given[name] for name in rule.needs]).fetchone()
    assert row is not None
    answer = row[0]
    assert answer is None or isinstance(answer, bool)
    return answer


def documents(rule: Rule, fact: str, *, matches: bool) -> bool:
    """Whether an example says that the rule decides so although this fact is null."""
    return any(e.matches is matches and e.given[fact] is None for e in rule.examples)


@pytest.mark.parametrize(
    ("rule", "example"), EXAMPLES, ids=[f"{rule.name}: {example.because}" for rule, example in EXAMPLES]
)
def test_an_example_comes_out_as_it_says(
    rule: Rule, example: Example, duck: duckdb.DuckDBPyConnection
) -> None:
    # null counts as no match
    assert (verdict(duck, rule, example.given, example.parameters) is True) is example.matches


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_unknown_fact_makes_a_match_unless_an_example_says_so(
    rule: Rule, duck: duckdb.DuckDBPyConnection
) -> None:
    for example in rule.examples:
        for fact in rule.needs:
            unknown = {**example.given, fact: None}
            if fact not in rule.may_lack and verdict(duck, rule, unknown, example.parameters):
                assert documents(rule, fact, matches=True), f"{fact} unknown, {example.because}"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_with_nothing_known_a_rule_cannot_tell_unless_nothing_is_an_answer(
    rule: Rule, duck: duckdb.DuckDBPyConnection
) -> None:
    answers = [fact for fact in rule.needs if documents(rule, fact, matches=False)]
    for example in rule.examples:
        nothing = verdict(duck, rule, dict.fromkeys(rule.needs), example.parameters)
        assert nothing is None or (nothing is False and (answers or "first_seen" in rule.needs))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_where_an_example_with_nothing_unknown_does_not_match_the_rule_is_known_not_to(
    rule: Rule, duck: duckdb.DuckDBPyConnection
) -> None:
    """Else `not = true` would leave out equipment that it is meant for."""
    for example in rule.examples:
        unknown = {fact for fact in rule.needs if example.given[fact] is None}
        # nobody knows what the model can; any other null is an answer: not on the list, no constant step
        if not example.matches and "model_generations" not in unknown - set(rule.may_lack):
            assert verdict(duck, rule, example.given, example.parameters) is False, example.because


def test_every_example_was_walked_with_each_of_its_facts_unknown() -> None:
    assert len(EXAMPLES) == sum(len(rule.examples) for rule in RULES.values())
    assert len(RULES) >= 22
    assert len(EXAMPLES) >= 58
    assert sum(len(rule.needs) for rule, _ in EXAMPLES) >= 100


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_has_an_example_that_matches_and_one_that_does_not(rule: Rule) -> None:
    assert {example.matches for example in rule.examples} == {True, False}


@pytest.mark.parametrize(
    ("rule", "example"), EXAMPLES, ids=[f"{rule.name}: {example.because}" for rule, example in EXAMPLES]
)
def test_an_example_gives_every_fact_and_parameter_in_its_own_type(rule: Rule, example: Example) -> None:
    assert set(example.given) == set(rule.needs)
    for name, value in example.given.items():
        assert value is None or type(value) is TYPES_OF_FACT[all_facts()[name].type], name
    types = {DAY_AFTER: TYPES_OF_PARAMETER["int"]}
    types |= {p.name: TYPES_OF_PARAMETER[p.type] for p in rule.parameters}
    for name, value in example.parameters.items():
        assert isinstance(value, types[name]), name


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_predicate_names_nothing_but_its_facts_and_parameters(rule: Rule) -> None:
    named = {c.name for c in sqlglot.parse_one(rule.matches, read="duckdb").find_all(exp.Column)}
    assert named <= {*rule.needs, *(p.name for p in rule.parameters), DAY_AFTER}
    assert rule.needs, "a match without a fact would have no evidence"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_fact_a_rule_needs_serves_its_predicate_or_its_reason(rule: Rule) -> None:
    named = {c.name for c in sqlglot.parse_one(rule.matches, read="duckdb").find_all(exp.Column)}
    told = {name for _, name, _, _ in string.Formatter().parse(rule.reason) if name}
    assert set(rule.needs) <= named | told


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_reason_can_be_told_from_the_facts_the_parameters_and_the_identity(rule: Rule) -> None:
    told = {"imei": "35100001000001"}
    told |= dict.fromkeys(rule.needs, "1") | {p.name: "2" for p in rule.parameters}
    reason = rule.reason.format(**told)
    assert reason
    assert "{" not in reason
    assert not any(spec or conversion for _, _, spec, conversion in string.Formatter().parse(rule.reason))


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_that_reaches_unseen_equipment_names_the_lists_it_comes_from(rule: Rule) -> None:
    assert bool(rule.lists) is (rule.applies_to == "listed")
    assert set(rule.lists) <= set(all_sources())
    for name in rule.lists:
        assert all_sources()[name].subject == "imei"


@pytest.mark.parametrize(
    "rule", [r for r in RULES.values() if r.drifts], ids=[n for n, r in RULES.items() if r.drifts]
)
def test_what_drifts_with_the_days_is_a_query_for_identities(rule: Rule) -> None:
    assert rule.drifts is not None
    today = day_number(date(2026, 3, 31))
    query = sqlglot.parse_one(rule.drifts({p.name: p.default for p in rule.parameters}, today, today + 1))
    assert isinstance(query, exp.Select)
    assert [column.name for column in query.expressions] == ["imei"]
