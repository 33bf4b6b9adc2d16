"""What sightings and fingerprints say of an identity, and what they must not say."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ceir.pipeline.engines import DuckEngine, Engine, Limits
from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine

from .looking import Row, Rows, condition, facts_of, moment, shown, sighted, used

POLICY = "".join(
    condition(rule, "window_days = 30")
    for rule in (
        "simultaneous_sessions",
        "impossible_journey",
        "separate_homes",
        "software_flip_flop",
        "fingerprint_disagreement",
        "pair_never_together",
    )
)
CELLS: Rows = [
    ("capital", 10_000_000, 20_000_000, 2_000, None),
    ("suburb", 10_050_000, 20_000_000, 2_000, None),
    ("coast", 12_000_000, 20_000_000, 2_000, None),  # 222 km north of the capital
    ("harbour", 12_050_000, 20_000_000, 2_000, None),
    ("east", 0, 179_990_000, 1_000, None),
    ("west", 0, -179_990_000, 1_000, None),  # 2 km from `east`, across the date line
    ("polar", 89_990_000, 0, 1_000, None),
    ("polar2", 89_990_000, 180_000_000, 1_000, None),  # 2 km from `polar`, across the pole
    ("wrong", 40_000_000, 20_000_000, 2_000, None),
]
A, MATE = 35100001000001, 35100001000002
KNOWN = [row for who in (1, 2, 3) for row in used(A, who, 3)] + used(MATE, 4, 3)


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(DuckEngine(Limits(tmp_path_factory.mktemp("scratch"), threads=1))) as engine:
        yield engine


def told(engine: Engine, sightings: Rows = (), **more: Rows) -> dict[str, object]:
    """The facts of A when it has three subscribers and operators tell these sightings."""
    return facts_of(engine, POLICY, KNOWN, **{"cells": CELLS, "sightings": sightings, **more})[A]


def two(
    first: str,
    second: str,
    *,
    minutes: int,
    days: tuple[int, ...] = (2, 3),
    who: tuple[int, int] = (1, 2),
    operators: tuple[int, int] = (1, 1),
) -> list[Row]:
    """On each of the days one subscriber in one cell until noon, another in another from so much later."""
    rows: list[Row] = []
    for ago in days:
        noon = moment(ago, 12)
        start = noon + minutes * 60
        rows.append(sighted(A, who[0], first, noon - 600, noon, operators[0]))
        rows.append(sighted(A, who[1], second, start, start + 30, operators[1]))
    return rows


def test_a_journey_that_nothing_makes_is_found_with_its_speed(duck: Engine) -> None:
    found = told(duck, two("capital", "coast", minutes=9))
    # 222 km less both radii, in nine minutes and one for the clocks
    assert found["journey_days"] == 2
    assert found["fastest_kmh"] == pytest.approx((222.4 - 4) * 6, abs=3)
    assert found["overlap_days"] == 0


@pytest.mark.parametrize(
    ("what", "first", "second", "minutes"),
    [
        ("a flight", "capital", "coast", 15),
        ("a walk across the date line", "east", "west", 1),
        ("a walk across the pole", "polar", "polar2", 1),
        ("cells that reach each other", "capital", "suburb", 0),
        ("a cell that nobody knows", "capital", "nowhere", 1),
    ],
)
def test_what_somebody_can_travel_is_no_contradiction(
    duck: Engine, what: str, first: str, second: str, minutes: int
) -> None:
    found = told(duck, two(first, second, minutes=minutes))
    assert found["journey_days"] == (None if second == "nowhere" else 0), what
    assert found["overlap_days"] == 0, what


def test_one_subscriber_contradicts_nobody(duck: Engine) -> None:
    found = told(duck, two("capital", "coast", minutes=1, who=(1, 1)))
    # three subscribers are known, and one was sighted: where the others were nobody knows
    assert found["journey_days"] is None
    assert found["overlap_days"] is None


def test_a_cell_where_a_subscriber_himself_jumps_to_proves_nothing(duck: Engine) -> None:
    jumps = two("capital", "wrong", minutes=5, days=(5,), who=(1, 1))
    found = told(duck, two("suburb", "wrong", minutes=5) + jumps)
    assert found["journey_days"] == 0


def test_a_cell_far_from_all_others_that_a_subscriber_was_in_proves_nothing(duck: Engine) -> None:
    # The phone of 1 and 2 never left the capital: the cell in which 2 spends his nights is told to stand
    # at the coast, and a drive of four hours from there to the suburb would be possible.
    phone = nights(1, "capital", 2, 3, 4) + nights(2, "coast", 2, 3, 4)
    days = [sighted(A, 2, "suburb", moment(n, 12), moment(n, 12, 1)) for n in (2, 3, 4)]
    assert told(duck, phone + days)["home_areas"] == 1
    assert told(duck, phone + days)["journey_days"] == 0
    # Another cell near by vouches for it: then somebody lives there.
    evenings = [sighted(A, 2, "harbour", moment(n, 20), moment(n, 20, 1)) for n in (2, 3, 4)]
    found = told(duck, phone + days + evenings)
    assert found["home_areas"] == 2
    assert found["journey_days"] == 3


def test_clocks_of_two_operators_may_be_further_apart_than_those_of_one(duck: Engine) -> None:
    def days(minutes: int, *operators: int) -> object:
        rows = two("capital", "coast", minutes=minutes, operators=(operators[0], operators[1]))
        return told(duck, rows)["journey_days"]

    assert days(9, 1, 1) == 2
    assert days(9, 1, 2) == 0  # in nine and five minutes: 936 km/h
    assert days(5, 1, 2) == 2


def test_two_subscribers_on_air_at_once_overlap_wherever_they_are(duck: Engine) -> None:
    rows = []
    for ago in (2, 3, 4):
        rows.append(sighted(A, 1, "nowhere", moment(ago, 11), moment(ago, 12)))
        rows.append(sighted(A, 2, "capital", moment(ago, 11, 30), moment(ago, 11, 31)))
    found = told(duck, rows)
    assert found["overlap_days"] == 3
    assert found["journey_days"] is None  # only one of them is located


@pytest.mark.parametrize(("seconds", "days"), [(0, 0), (120, 0), (121, 1)])
def test_an_overlap_is_longer_than_clocks_are_out_and_the_tolerance(
    duck: Engine, seconds: int, days: int
) -> None:
    noon = moment(2, 12)
    rows = [
        sighted(A, 1, "capital", noon - 3600, noon),
        sighted(A, 2, "capital", noon - seconds, noon + 1800),
    ]
    assert told(duck, rows)["overlap_days"] == days


def test_a_sighting_that_nobody_ended_is_not_believed_for_days(duck: Engine) -> None:
    rows = [
        sighted(A, 1, "capital", moment(9, 1), moment(1, 1)),
        sighted(A, 2, "capital", moment(8, 1), moment(8, 2)),
    ]
    assert told(duck, rows)["overlap_days"] == 0


def test_a_sighting_outside_the_window_counts_no_more(duck: Engine) -> None:
    assert told(duck, two("capital", "coast", minutes=1, days=(29, 30)))["journey_days"] == 1


def nights(who: int, cell: str, *ago: int) -> list[Row]:
    return [sighted(A, who, cell, moment(n, 22, who), moment(n, 22, who, 30)) for n in ago]


def test_homes_far_apart_on_the_same_nights_are_two_areas(duck: Engine) -> None:
    found = told(duck, nights(1, "capital", 2, 3, 4) + nights(2, "coast", 2, 3, 4))
    # the minute between them makes doubtful nothing: it is another subscriber
    assert (found["home_areas"], found["home_distance_km"]) == (2, 218)


@pytest.mark.parametrize(
    ("what", "first", "second", "areas"),
    [
        ("a sale from town to town", nights(1, "capital", 10, 11, 12), nights(2, "coast", 2, 3, 4), 1),
        ("a family in one town", nights(1, "capital", 2, 3, 4), nights(2, "suburb", 2, 3, 4), 1),
        ("two nights only", nights(1, "capital", 2, 3), nights(2, "coast", 2, 3), 0),
        ("two homes used in turn", nights(1, "capital", 2, 4, 6), nights(2, "coast", 3, 5, 7), 1),
    ],
)
def test_homes_that_one_device_may_have_are_not_separate(
    duck: Engine, what: str, first: list[Row], second: list[Row], areas: int
) -> None:
    found = told(duck, first + second)
    assert (found["home_areas"], found["home_distance_km"]) == (areas, 0), what


def registered(imei: int, device: str) -> Row:
    return (imei, "M", "M", None, None, None, None, None, device)


def test_two_phones_registered_as_one_device_are_told_by_never_being_together(duck: Engine) -> None:
    def at(cell: str, *ago: int) -> list[Row]:
        here = [sighted(A, 1, "capital", moment(n, 9), moment(n, 9, 5)) for n in ago]
        return here + [sighted(MATE, 4, cell, moment(n, 9, 10), moment(n, 9, 11)) for n in ago]

    pair = [registered(A, "D7"), registered(MATE, "D7")]
    apart, once = at("coast", 1, 2, 3), at("coast", 1, 2, 3) + at("suburb", 4)
    assert told(duck, apart, registrations=pair)["mates_apart"] == 3
    assert told(duck, once, registrations=pair)["mates_apart"] == 0
    assert told(duck, apart, registrations=[pair[0], registered(MATE, "D8")])["mates_apart"] is None
    batch = [registered(A + n, "D7") for n in range(5)]
    assert told(duck, apart, registrations=batch)["mates_apart"] is None


def test_an_update_goes_up_and_two_devices_go_up_and_down(duck: Engine) -> None:
    def flips(*rows: Row) -> object:
        return told(duck, fingerprints=rows)["version_flips"]

    assert flips(shown(A, 1, 5, 3), shown(A, 2, 4, 3), shown(A, 2, 4, 4), shown(A, 1, 3, 4)) == 0
    assert flips(*(shown(A, n % 2 + 1, 9 - n, 3 + n % 2) for n in range(8))) == 3
    assert flips(*(shown(A, 1, 9 - n, 3 + n % 2) for n in range(8))) is None, "of one subscriber"


def test_two_devices_show_different_fingerprints_in_turn(duck: Engine) -> None:
    rows = [shown(A, n % 2 + 1, 9 - n, capability="xy"[n % 2], agent="a") for n in range(6)]
    found = told(duck, fingerprints=rows)
    assert (found["capability_disagreement"], found["agent_disagreement"]) == (5, 0)
    assert (found["version_flips"], found["version_disagreement"]) == (None, 0)  # no version was told


@pytest.mark.parametrize(
    ("what", "words", "days"),
    [
        ("an update, for both", "xxxyyyy", 1),
        ("odd words, each on one day", "xxqxxrx", 0),
        ("one that comes back", "xxyxxyx", 4),
    ],
)
def test_an_update_or_an_odd_word_is_no_disagreement(duck: Engine, what: str, words: str, days: int) -> None:
    rows = [shown(A, n % 2 + 1, 9 - n, agent=word) for n, word in enumerate(words)]
    assert told(duck, fingerprints=rows)["agent_disagreement"] == days, what


def test_one_subscriber_alone_disagrees_with_nobody(duck: Engine) -> None:
    rows = [shown(A, 1, 9 - n, capability="xy"[n % 2]) for n in range(6)] + [shown(A, 2, 2, capability="x")]
    assert told(duck, fingerprints=rows)["capability_disagreement"] == 1


def test_without_cells_only_overlaps_are_known(duck: Engine) -> None:
    rows = two("capital", "coast", minutes=1, days=(3,)) + two("capital", "capital", minutes=-5, days=(4,))
    found = facts_of(duck, POLICY, KNOWN, sightings=rows)[A]
    assert found["overlap_days"] == 1
    assert [found[name] for name in ("journey_days", "home_areas", "mates_apart")] == [None] * 3


def test_what_never_came_is_unknown(duck: Engine) -> None:
    found = facts_of(duck, POLICY, KNOWN, cells=CELLS)[A]
    signals = [name for name in found if name not in ("imei", "matched", "home_imsis")]
    assert len(signals) == 10
    assert {found[name] for name in signals} == {None}


MANY = (
    two("capital", "coast", minutes=9)
    + two("east", "wrong", minutes=5, days=(5,), who=(1, 1))
    + two("polar", "west", minutes=3, days=(6, 7), who=(2, 3))
    + two("capital", "east", minutes=3, days=(9,), who=(3, 1), operators=(1, 2))
    + nights(1, "capital", 12, 13, 14)
    + nights(2, "coast", 12, 13, 14)
    + two("suburb", "suburb", minutes=-6, days=(8,))
    + [sighted(A, 1, "suburb", moment(n, 10), moment(n, 10, 1)) for n in (2, 3)]
    + [sighted(A, 2, "harbour", moment(n, 14), moment(n, 14, 1)) for n in (2, 3)]
    + [sighted(MATE, 4, "coast", moment(n, 11, 55), moment(n, 11, 56)) for n in (2, 3)]
)
PRINTS = [shown(A, n % 2 + 1, 9 - n // 2, 3 + n % 2, "xy"[n % 2], "z") for n in range(12)]
TOLD: dict[str, Rows] = {
    "cells": CELLS,
    "sightings": MANY,
    "fingerprints": PRINTS,
    "registrations": [registered(A, "D7"), registered(MATE, "D7")],
}


def test_looking_at_one_identity_and_its_mate_finds_what_looking_at_all_finds(duck: Engine) -> None:
    everything = facts_of(duck, POLICY, KNOWN, **TOLD)
    assert facts_of(duck, POLICY, KNOWN, (A, MATE), **TOLD) == everything
    here = everything[A]
    for name in ("journey_days", "overlap_days", "mates_apart", "version_flips", "home_distance_km"):
        assert here[name], name


def test_sail_finds_the_same(duck: Engine, tmp_path: Path) -> None:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    pytest.importorskip("pyspark", reason="the Spark Connect client is not installed")
    wanted = facts_of(duck, POLICY, KNOWN, **TOLD)
    with SailServer() as address, closing(SparkEngine(address, tmp_path / "scratch")) as sail:
        assert facts_of(sail, POLICY, KNOWN, **TOLD) == wanted
