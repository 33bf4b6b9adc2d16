"""Small worlds drawn by Hypothesis: the register and the plain recomputation say the same of every signal."""

import tomllib
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ceir.clock import day_number, day_of
from ceir.pipeline.engines import DuckEngine, Engine, Limits
from oracle import World, matches
from oracle.world import Cell, Equipment, Fingerprint, Sighting

from .looking import HEAD, D, Row, Rows, condition, day, facts_of, imsi, moment

RULES = {
    "too_many_persons": "threshold = 2, window_days = 20",
    "used_by_strangers": "window_days = 20",
    "parallel_subscribers": "days = 2, window_days = 20",
    "steady_sharing": "threshold = 2, steady_percent = 10, beside_days = 1, window_days = 20",
    "alternating_subscribers": "times = 1, window_days = 40",
    "split_technology": "generations = 1, busy_days = 2, window_days = 20",
    "resurrected": "silent_days = 14, window_days = 50",
    "used_after_scrapping": "window_days = 30",
    "simultaneous_sessions": "days = 1, window_days = 6",
    "impossible_journey": "days = 1, window_days = 6",
    "separate_homes": "least_nights = 1, window_days = 6",
    "software_flip_flop": "times = 1, window_days = 6",
    "fingerprint_disagreement": "days = 1, window_days = 6",
    "pair_never_together": "days = 1, window_days = 6",
}
POLICY = "".join(condition(rule, parameters) for rule, parameters in RULES.items())
IMEIS = (35100001000001, 35100001000002)
USERS = (1, 2, 3)
CELLS: Rows = [
    ("a", 10_000_000, 20_000_000, 2_000, None),
    ("b", 10_100_000, 20_000_000, None, None),
    ("c", 12_000_000, 20_000_000, 1_000, None),
    ("d", 0, 179_900_000, 1_000, None),
    ("e", 0, -179_500_000, 1_000, None),
    ("f", 89_900_000, 7_000_000, 1_000, None),
]
imeis, users = st.sampled_from(IMEIS), st.sampled_from(USERS)
ago = st.integers(0, 8)
observations = st.lists(
    st.tuples(imeis, users, st.sets(st.integers(0, 60), min_size=1, max_size=8), st.sampled_from((0, 2, 32)))
    | st.tuples(imeis, users, st.sets(st.integers(0, 12), min_size=3, max_size=9), st.sampled_from((2, 512))),
    min_size=1,
    max_size=8,
)
sightings = st.lists(
    st.tuples(
        st.integers(1, 2),
        imeis,
        users,
        st.sampled_from("abcdef?"),
        st.builds(moment, ago, st.sampled_from((9, 10, 22, 23)), st.integers(0, 3), st.sampled_from((0, 30))),
        st.sampled_from((0, 1, 200, 3_600, 40_000, 900_000)),
    ),
    max_size=24,
)
words = st.none() | st.sampled_from("xy")
prints = st.lists(st.tuples(imeis, users, ago, st.none() | st.integers(3, 5), words, words), max_size=16)


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(DuckEngine(Limits(tmp_path_factory.mktemp("scratch"), threads=1))) as engine:
        yield engine


def number(who: int) -> str:
    return str(imsi(who))[1:]


GENERATION = {0: 0, 2: 2, 32: 8, 512: 16}
"""Masks of generations of the technologies that are drawn: GERAN, E-UTRAN, NR."""


def rows_of(drawn: list[tuple[int, int, set[int], int]]) -> list[Row]:
    """Rows of observations as months hold them."""
    found: list[Row] = []
    for imei, who, days, rats in drawn:
        for month in {(D - timedelta(days=n)).strftime("%Y%m") for n in days}:
            on = sorted(x for x in (D - timedelta(days=n) for n in days) if f"{x:%Y%m}" == month)
            mask = sum(1 << (x.day - 1) for x in on)
            ends = day_number(on[0]), day_number(on[-1])
            found.append((int(month), "operator1", imei, imsi(who), None, *ends, mask, rats))
    return found


def world_of(drawn: list[tuple[int, int, set[int], int]]) -> World:
    world = World()
    for imei, who, days, rats in drawn:
        equipment = world.seen.setdefault(str(imei), Equipment(str(imei)))
        for n in days:
            bit = world.calendar.bit(D - timedelta(days=n))
            equipment.uses.setdefault((number(who), "", "operator1"), [0])[0] |= bit
            # a row of a month tells the technologies of all its days
            equipment.generations_of.setdefault((number(who), GENERATION[rats]), [0])[0] |= bit
    return world


def utc(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


@given(observations, sightings, prints, st.sets(imeis), st.booleans(), st.sets(st.tuples(users, imeis)))
@settings(
    phases=(Phase.explicit, Phase.generate),
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
def test_register_and_recomputation_agree_on_every_signal(
    duck: Engine,
    drawn: list[tuple[int, int, set[int], int]],
    located: list[tuple[int, int, int, str, int, int]],
    printed: list[tuple[int, int, int, int | None, str | None, str | None]],
    scrapped: set[int],
    paired: bool,
    owned: set[tuple[int, int]],
) -> None:
    world = world_of(drawn)
    world.uids_of_imsi = {number(who): {f"P{who // 2}"} for who in USERS}
    world.owners = {str(i): {f"P{w // 2}" for w, j in owned if j == i} for _, i in owned}
    world.scrapped = {str(imei): day_of(day(15)) for imei in scrapped}
    world.device_of = {str(imei): "D1" if paired else f"D{imei % 10}" for imei in IMEIS}
    world.cells = {str(c): Cell(int(str(x)), int(str(y)), r) for c, x, y, r, _ in CELLS}  # type: ignore[arg-type]
    world.sightings = {}
    for operator, imei, who, cell, start, lasts in located:
        event = Sighting(start, start + lasts, number(who), cell, f"operator{operator}")
        world.sightings.setdefault(str(imei), set()).add(event)
    world.fingerprints = {}
    for imei, who, n, version, capability, agent in printed:
        told = f"{version:02d}" if version is not None else "", capability or "", agent or ""
        world.fingerprints.setdefault(str(imei), set()).add(
            Fingerprint(D - timedelta(days=n), number(who), *told)
        )
    policy = tomllib.loads(HEAD + POLICY, parse_float=Decimal)
    wanted = matches(world, policy, D)

    found = facts_of(
        duck,
        POLICY,
        rows_of(drawn),
        subscribers=[(f"P{who // 2}", imsi(who)) for who in USERS],
        associations=sorted({(f"P{who // 2}", imei) for who, imei in owned}),
        scrapped=[(imei, day(15)) for imei in scrapped],
        cells=CELLS,
        registrations=[(i, *["M"] * 2, *[None] * 5, "D1" if paired else f"D{i % 10}") for i in IMEIS],
        sightings=sorted(
            {(f"operator{o}", i, imsi(w), c, start, start + s) for o, i, w, c, start, s in located}
        ),
        fingerprints=[("operator1", i, imsi(w), day(n), v, c, a) for i, w, n, v, c, a in printed],
    )
    labels = list(tomllib.loads(HEAD + POLICY)["conditions"])
    for bit, label in enumerate(labels):
        got = {str(imei) for imei, row in found.items() if int(str(row["matched"])) >> bit & 1}
        assert got == wanted[label], label
