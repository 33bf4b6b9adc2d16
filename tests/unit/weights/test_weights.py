"""Files of weights, and the score that they make."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceir.weights import WeightsError, all_weights, load_weights, parse_weights
from ceir.weights.declaration import known_facts
from ceir.weights.scale import SCORED, scale_of
from ceir.weights.scoring import counterfactual, score_of, score_sql, signals_of, signals_sql, terms

WEIGHTS = load_weights("clones-1")
SCALE = scale_of({})
TEXT = WEIGHTS.to_toml()


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Any facts, some of them unknown, mostly near the bins."""
    found: dict[str, Any] = {}
    for name in WEIGHTS.facts:
        if known_facts()[name].type == "BOOLEAN":
            found[name] = draw(st.none() | st.booleans())
        else:
            edges = [int(b.start) for s in WEIGHTS.signals if s.fact == name for b in s.bins]
            near = st.sampled_from([e + n for e in edges or [0] for n in (-1, 0, 1)])
            found[name] = draw(st.none() | near | st.integers(0, 200))
    return found


def test_every_shipped_file_says_how_it_was_obtained() -> None:
    assert "clones-1" in all_weights()
    for name in all_weights():
        weights = load_weights(name)
        assert weights.provenance.how
        if weights.calibrated:
            assert weights.provenance.command
            assert weights.provenance.seeds
            assert weights.provenance.worlds_sha256


def test_a_file_is_written_as_it_is_read() -> None:
    for name in all_weights():
        assert parse_weights(load_weights(name).to_toml(), name) == load_weights(name)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name = "clones-1"', 'name = "clones"', "name"),
        ("calibrated = false", "calibrated = false\nextra = 1", "extra"),
        ('fact = "alternations"', 'fact = "nonsense"', "no fact 'nonsense'"),
        ('fact = "alternations"', 'fact = "subscriber_count"', "stands in two signals"),
        ('fact = "alternations"', 'fact = "alternations"\nper = "nonsense"', "no fact 'nonsense'"),
        ("weight = 3.5", "weight = -3.5", "greater than or equal to 0"),
        ("weight = 3.5", "weight = 3.55555", "decimal"),
        ("from = 25", "from = 10", "do not ascend"),
        ("from = 25.0", "from = 25.5", "whole number"),
        ("clone_at = 2.0", "clone_at = -1.0", "prior < clear_at <= clone_at"),
        ("clone_at = 2.0", "clone_at = 39.0", "no evidence could ever"),
        ("speaks_from = 0.5", "speaks_from = 20.0", "two kinds"),
        ("{window_days}", "{nonsense}", "names something else"),
        ("window_days = 90", "window_days = 90\nnonsense_days = 1", "takes the parameter"),
        ("associated = 4.0", "nonsense = 4.0", "no rung 'nonsense'"),
        ("associated = 4.0", "associated = -4.0", "must be above 0"),
        ("technology_beyond_model = -4.0", "technology_beyond_model = 4.0", "must be below 0"),
        ("clone_below = 1.0", "clone_below = 3.0", "clone_below < genuine_at"),
        ("[score]", "[score", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_naming_the_fault(old: str, new: str, fault: str) -> None:
    assert old in TEXT
    with pytest.raises(WeightsError, match=fault):
        parse_weights(TEXT.replace(old, new, 1), "weights.toml")


def test_weights_that_do_not_exist_are_refused() -> None:
    with pytest.raises(WeightsError, match="clones-999"):
        load_weights("clones-999")


@settings(deadline=None, max_examples=60)
@given(facts(), st.sampled_from(WEIGHTS.facts))
def test_what_becomes_unknown_never_raises_the_score(known: dict[str, Any], lost: str) -> None:
    before, after = terms(WEIGHTS, known), terms(WEIGHTS, {**known, lost: None})
    assert score_of(WEIGHTS, after) <= score_of(WEIGHTS, before)
    assert signals_of(WEIGHTS, after) <= signals_of(WEIGHTS, before)


def test_with_nothing_known_the_score_is_the_prior() -> None:
    nothing = terms(WEIGHTS, {})
    assert score_of(WEIGHTS, nothing) == int(WEIGHTS.score.prior * 1000)
    assert SCALE.answer(score_of(WEIGHTS, nothing), 0) == "not_a_clone"


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 1_000_000))
def test_a_bare_count_of_subscribers_never_makes_a_clone(count: int) -> None:
    found = terms(WEIGHTS, {"subscriber_count": count})
    assert signals_of(WEIGHTS, found) <= 1
    assert SCALE.answer(10**6, signals_of(WEIGHTS, found)) == "undecided"


@settings(deadline=None, max_examples=60)
@given(facts())
def test_a_counterfactual_is_of_a_milder_answer_and_a_clear_case_has_none(known: dict[str, Any]) -> None:
    found = terms(WEIGHTS, known)
    now = SCALE.answer(score_of(WEIGHTS, found), signals_of(WEIGHTS, found))
    other = counterfactual(SCALE, found)
    order = ("not_a_clone", "undecided", "clone")
    if now == "not_a_clone":
        assert other is None
    elif other is not None:
        assert order.index(other.answer) < order.index(now)
        assert 1 <= len(other.phrases) <= 3
        assert all("instead of" in phrase for phrase in other.phrases)


@settings(deadline=None, max_examples=40)
@given(st.lists(facts(), min_size=1, max_size=4))
def test_the_engine_scores_as_the_explanation_does(rows: list[dict[str, Any]]) -> None:
    columns = {name: known_facts()[name].type for name in WEIGHTS.facts}
    chosen = " UNION ALL ".join(
        "SELECT "
        + ", ".join(
            f"CAST({'NULL' if row[n] is None else row[n]} AS {kind}) AS {n}" for n, kind in columns.items()
        )
        for row in rows
    )
    found = (
        duckdb.connect()
        .sql(f"SELECT {score_sql(WEIGHTS)}, {signals_sql(WEIGHTS)} FROM ({chosen})")
        .fetchall()
    )
    told = [
        (score_of(WEIGHTS, terms(WEIGHTS, row)), signals_of(WEIGHTS, terms(WEIGHTS, row))) for row in rows
    ]
    assert sorted(found) == sorted(told)


def test_bins_begin_exactly_where_they_say() -> None:
    for signal in WEIGHTS.signals:
        if signal.per is None and known_facts()[signal.fact].type != "BOOLEAN":
            for below, entry in pairwise((None, *signal.bins)):
                assert entry is not None
                at = next(t for t in terms(WEIGHTS, {signal.fact: int(entry.start)}) if t.signal == signal)
                under = next(
                    t for t in terms(WEIGHTS, {signal.fact: int(entry.start) - 1}) if t.signal == signal
                )
                assert at.weight == int(entry.weight * 1000)
                assert under.weight == (int(below.weight * 1000) if below else 0)


def test_a_quotient_is_exact_and_unknown_where_it_would_be_of_nothing() -> None:
    signal = next(s for s in WEIGHTS.signals if s.fact == "subscriber_days")
    for active, days, value in ((5, 6, Fraction(6, 5)), (0, 6, None), (None, 6, None), (5, None, None)):
        found = terms(WEIGHTS, {"subscriber_days": days, "active_days": active})
        term = next(t for t in found if t.signal == signal)
        assert term.value == value
        assert (term.weight > 0) is (value is not None and value >= Fraction(signal.bins[0].start))


def test_a_policy_may_hold_the_score_against_other_thresholds() -> None:
    scale = scale_of({"clone_at": Decimal("3.5"), "least_signals": 3})
    assert (scale.clone_at, scale.clear_at, scale.least_signals) == (3500, SCALE.clear_at, 3)
    assert scale.answer(3500, 3) == "clone"
    assert scale.answer(3499, 3) == scale.answer(9999, 2) == "undecided"
    assert set(SCORED.values()) == {"clone", "undecided"}
