"""The ladder that new weights carry, and its rungs on homes and on what devices declare."""

from collections.abc import Iterable
from decimal import Decimal

import duckdb
import pytest

from ceir.facts import Context
from ceir.rungs import all_rungs
from ceir.weights import load_weights
from ceir.weights.ladder import LADDER

IMEI, TAC = 35_100_001_000_001, 35_100_001
OWNER, OTHER, THIRD = (1_111_010_000_000_000 + n for n in range(3))
CONTEXT = Context(end=100, start=10, parameters={"area_km": 15, "least_nights": 3})


def told(users: Iterable[tuple[int, str, int, bool]]) -> duckdb.DuckDBPyConnection:
    """A database of the users (imsi, person, first day, present) of one identity."""
    db = duckdb.connect()
    db.execute(
        "CREATE TABLE users (imei BIGINT, imsi BIGINT, person VARCHAR, first_day INTEGER, present BOOLEAN, "
        "tac INTEGER)"
    )
    for imsi, person, first_day, present in users:
        db.execute(
            "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", [IMEI, imsi, person, first_day, present, TAC]
        )
    return db


def votes(db: duckdb.DuckDBPyConnection, name: str) -> set[int]:
    rung = all_rungs()[name]
    for table, sql in rung.tables_sql(CONTEXT).items():
        db.execute(f"CREATE TABLE {table} AS {sql}")
    sql = rung.sql(CONTEXT).replace("{home_nights}", "home_nights").replace("{places}", "places")
    return {imsi for _, imsi in db.execute(sql).fetchall()}


def lived(
    db: duckdb.DuckDBPyConnection, nights: Iterable[tuple[int, range, int]]
) -> duckdb.DuckDBPyConnection:
    """With the homes, 1 and 2 near each other and 3 far from both, of subscribers on nights."""
    db.execute("CREATE TABLE places (place INTEGER, radius_m INTEGER, x INTEGER, y INTEGER, z INTEGER)")
    db.execute("INSERT INTO places VALUES (1, 1000, 0, 0, 0), (2, 1000, 9000, 0, 0), (3, 1000, 90000, 0, 0)")
    db.execute("CREATE TABLE home_nights (imei BIGINT, imsi BIGINT, night INTEGER, home INTEGER)")
    for imsi, when, home in nights:
        db.executemany("INSERT INTO home_nights VALUES (?, ?, ?, ?)", [[IMEI, imsi, n, home] for n in when])
    return db


@pytest.mark.parametrize(
    ("nights", "speaks_of"),
    [
        ([(OWNER, range(20, 60), 1), (OTHER, range(40, 60), 3)], {OWNER}),
        ([(OWNER, range(20, 30), 1), (OTHER, range(40, 60), 2), (THIRD, range(50, 60), 3)], {OTHER}),
        ([(OWNER, range(20, 60), 1), (OTHER, range(40, 60), 2)], set()),
        ([(OWNER, range(38, 60), 1), (OTHER, range(40, 60), 3)], set()),
        ([(OWNER, range(20, 42), 1), (OTHER, range(40, 60), 3)], set()),
        ([(OTHER, range(40, 60), 3)], set()),
    ],
    ids=[
        "the first user stayed at home",
        "another subscription at the old home",
        "two who live there",
        "too few nights before",
        "too few nights since",
        "nothing known of before",
    ],
)
def test_the_home_of_before_speaks_for_who_alone_lives_there(
    nights: list[tuple[int, range, int]], speaks_of: set[int]
) -> None:
    users = [(OWNER, "a", 15, True), (OTHER, "b", 40, True), (THIRD, "c", 50, True)]
    assert votes(lived(told(users), nights), "home_from_before") == speaks_of


def test_who_was_never_alone_has_no_home_of_before() -> None:
    nights = [(OWNER, range(20, 60), 1), (OTHER, range(20, 60), 3)]
    assert (
        votes(lived(told([(OWNER, "a", 15, True), (OTHER, "b", 15, True)]), nights), "home_from_before")
        == set()
    )


def declared(
    db: duckdb.DuckDBPyConnection, words: dict[int, str], *, devices: int = 20, usual: str = "usual"
) -> duckdb.DuckDBPyConnection:
    """With what the users of the identity, and other devices of the model, declared on five days."""
    db.execute(
        "CREATE TABLE fingerprints (imei BIGINT, imsi BIGINT, operator VARCHAR, seen_on INTEGER, "
        "capability VARCHAR)"
    )
    rows = [(IMEI, imsi, word) for imsi, word in words.items() if word]
    rows += [(IMEI + 1 + n, OWNER + 100 + n, usual) for n in range(devices)]
    for imei, imsi, word in rows:
        db.executemany(
            "INSERT INTO fingerprints VALUES (?, ?, 'one', ?, ?)",
            [[imei, imsi, day, word] for day in range(50, 55)],
        )
    return db


PAIR = ((OWNER, "a", 15, True), (OTHER, "b", 40, True))


@pytest.mark.parametrize(
    ("words", "of_model", "unlike"),
    [
        ({OWNER: "usual", OTHER: "strange"}, {OWNER}, {OTHER}),
        ({OWNER: "usual", OTHER: "usual"}, set(), set()),
        ({OWNER: "usual", OTHER: ""}, set(), set()),
        ({OWNER: "strange", OTHER: "strange"}, set(), {OWNER, OTHER}),
    ],
    ids=["the only one", "a copy in the model's hardware", "one is not known", "none of them"],
)
def test_what_a_device_declares_is_held_against_other_devices_of_its_model(
    words: dict[int, str], of_model: set[int], unlike: set[int]
) -> None:
    assert votes(declared(told(PAIR), words), "capability_of_model") == of_model
    assert votes(declared(told(PAIR), words), "capability_unlike_model") == unlike


def test_of_too_few_devices_of_a_model_nothing_is_usual() -> None:
    words = {OWNER: "usual", OTHER: "strange"}
    assert votes(declared(told(PAIR), words, devices=19), "capability_of_model") == set()
    assert votes(declared(told(PAIR), words, devices=19), "capability_unlike_model") == set()


def test_who_went_long_ago_takes_nothing_from_who_is_there() -> None:
    users = [*PAIR, (THIRD, "c", 11, False)]
    assert votes(declared(told(users), {OWNER: "usual", OTHER: "strange"}), "capability_of_model") == {OWNER}


def test_new_weights_weigh_every_rung_and_the_old_ones_as_before() -> None:
    assert set(LADDER.rungs) == set(all_rungs())
    old = load_weights("clones-1").ladder
    assert {name: LADDER.rungs[name] for name in old.rungs} == dict(old.rungs)
    assert old.model_dump(exclude={"rungs"}) == LADDER.model_dump(exclude={"rungs"})


def test_a_copy_that_came_before_the_genuine_device_was_sold_is_not_genuine_for_its_home() -> None:
    weight = LADDER.rungs
    assert weight["first_user"] + weight["home_from_before"] < LADDER.genuine_at


def test_home_and_hardware_make_nobody_genuine_who_was_not_first() -> None:
    observed = {"home_from_before", "capability_of_model"}
    assert sum((LADDER.rungs[name] for name in observed), Decimal(0)) < LADDER.genuine_at
