import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ceir.interfaces.load import PERCENTAGES, Times
from ceir.interfaces.load.plan import Plan, PlanError
from ceir.interfaces.load.times import PRECISION

SECONDS = st.floats(min_value=1e-6, max_value=9_000, allow_nan=False)


def of(durations: list[float]) -> Times:
    times = Times()
    for duration in durations:
        times.add(duration)
    return times


def nearest_rank(durations: list[float], percent: float) -> float:
    """The definition, spelled out: the shortest duration that so many per cent do not exceed."""
    ordered = sorted(durations)
    return next(one for place, one in enumerate(ordered, 1) if place >= len(ordered) * percent / 100 - 1e-9)


@settings(max_examples=200, deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=300), st.sampled_from((*PERCENTAGES, 1.0, 100.0)))
def test_a_percentile_is_at_most_one_per_cent_too_high_and_never_too_low(
    durations: list[float], percent: float
) -> None:
    exact = nearest_rank(durations, percent)
    assert exact * (1 - 1e-9) <= of(durations).percentile(percent) <= exact * (1 + PRECISION) * (1 + 1e-9)


def test_percentiles_of_a_thousand_milliseconds() -> None:
    times = of([number / 1000 for number in range(1, 1001)])
    exact = {50.0: 0.5, 90.0: 0.9, 99.0: 0.99, 99.9: 0.999, 100.0: 1.0}
    found = times.percentiles()
    assert list(found) == list(exact)
    for percent, seconds in exact.items():
        assert seconds <= found[percent] <= seconds * 1.01
    assert found[100.0] == 1.0


def test_the_longest_is_exact_and_nothing_is_longer() -> None:
    times = of([0.001, 0.123456789])
    assert times.longest == times.percentile(100) == times.percentile(99) == 0.123456789


def test_without_durations_there_are_no_percentiles() -> None:
    assert of([]).percentiles() == {}
    assert of([]).percentile(50) == of([]).longest == 0.0


def test_durations_outside_the_buckets_count_at_their_ends() -> None:
    times = of([0.0, 1e-9, 50_000.0])
    assert len(times) == 3
    assert times.percentile(50) == 1e-6
    assert times.longest == 50_000.0


def test_millions_of_durations_take_little_memory_and_settle_in_between() -> None:
    choose = random.Random(1)
    times = Times()
    sample = [choose.expovariate(1000) + 1e-6 for _ in range(1000)]
    for _ in range(300):
        for one in sample:
            times.add(one)
        times.settle()
    assert len(times) == 300_000
    assert len(times._fresh) < 70_000
    assert math.isclose(times.percentile(90), nearest_rank(sample, 90), rel_tol=0.011)


def test_distributions_add_up() -> None:
    whole = of([0.001] * 99)
    whole.absorb(of([1.0]))
    assert len(whole) == 100
    assert whole.percentile(99) <= 0.00101
    assert whole.percentile(99.9) == whole.longest == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0},
        {"seconds": 1, "connections": 0},
        {"seconds": 1, "window": 0},
        {"seconds": 1, "wait": -1},
        {"seconds": 1, "rate": 0},
        {"seconds": 1, "rate": 0.5},
        {"seconds": float("nan")},
        {"seconds": 1, "rate": float("nan")},
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(PlanError) as told:
        Plan(**wrong)  # type: ignore[arg-type]
    assert told.value.hint


def test_a_plan_knows_how_many_requests_fall_due() -> None:
    assert Plan(10, rate=2_000).total == 20_000
    assert Plan(10).total is None
