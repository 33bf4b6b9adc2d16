"""A copied identity, from who uses it to whose line stops: nobody is cut who might be the genuine one."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from building import Register, compact
from ceir.pipeline.engines.sail import SailServer
from ceir.pipeline.engines.spark import SparkEngine
from ceir.policy.loading import PolicyError, parse_policy

from .conditions import HEAD, STOLEN

D = date(2026, 3, 31)
BLOCK = D + timedelta(days=30)
A, B = "35100001000001", "35100001000002"
OWNER, SECOND, THIRD = "111010000000001", "111010000000002", "111020000000003"
FOURTH, FIFTH, LATE = "111030000000004", "111010000000005", "111020000000006"
ALL = (OWNER, SECOND, THIRD, FOURTH, FIFTH)

CLONED = """
[conditions.cloned]
all = [{ rule = "cloned", weights = "clones-1" }]
reason = "Copied identity"
grace_days = 30
blocking = true
exceptions = "genuine"
max_match_ratio = 1.0
"""
FROZEN = """
[conditions.frozen]
all = [{ rule = "perhaps_cloned", weights = "clones-1" }]
reason = "Perhaps copied"
grace_days = 30
blocking = true
exceptions = "present"
max_match_ratio = 1.0
"""

Make = Callable[..., Register]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A register under a policy of these parts."""

    def making(*parts: str, head: str = HEAD) -> Register:
        return Register.make(tmp_path / "register", 'mode = "permissive"\n' + head + "".join(parts))

    return making


def number(imsi: str) -> str:
    return f"22000000{imsi[-4:]}"


def used(register: Register, imei: str, imsis: Iterable[str], first: date, last: date) -> None:
    """Every subscriber every day, seen by the first operator."""
    rows = [
        f"{compact(first + timedelta(days=n))},{imei},{imsi},{number(imsi)},006"
        for n in range((last - first).days + 1)
        for imsi in imsis
    ]
    register.take("observations", rows, last, operator="operator1")


def people(register: Register, *, owner: bool = True) -> None:
    """Each a person of his own, but one of two lines; the first declared the device."""
    persons = {OWNER: "P-1", SECOND: "P-2", THIRD: "P-3", FOURTH: "P-4", FIFTH: "P-4", LATE: "P-6"}
    register.take("subscribers", [f"{uid},{imsi}" for imsi, uid in persons.items()], D)
    register.take("associations", [f"P-1,{A}"] if owner else [], D)


def copied(register: Register, *, owner: bool = True) -> None:
    """Five lines of four persons on one identity, the owner's from the first day on."""
    people(register, owner=owner)
    used(register, A, [OWNER], date(2026, 2, 20), date(2026, 2, 24))
    used(register, A, ALL, date(2026, 3, 1), D)


def claims(register: Register, imei: str = A) -> dict[str, tuple[str, str]]:
    """Answer and proposal for each subscriber of an identity in the newest run."""
    import duckdb

    run = register.workspace.catalogue().runs[-1]
    assert run.claims is not None
    rows = duckdb.sql(
        f"SELECT imsi, answer, proposal FROM '{register.workspace.path(run.claims)}/*.parquet' "
        f"WHERE imei = {imei}"
    ).fetchall()
    return {str(imsi)[1:]: (answer, proposal) for imsi, answer, proposal in rows}


def excepted(register: Register) -> set[tuple[str, str]]:
    return {
        (row[0], row[1])
        for n in ("operator1", "operator2", "operator3")
        for row in register.rows(("exceptions", n))
    }


def told(register: Register) -> dict[str, str]:
    """Whose line will stop, and the day."""
    return {
        row[1]: row[3]
        for n in ("operator1", "operator2", "operator3")
        for row in register.rows(("notifications", n))
    }


def test_only_the_lines_of_clones_stop_and_only_they_are_told(make: Make) -> None:
    register = make(CLONED)
    copied(register)
    register.run(D)
    assert claims(register) == {
        OWNER: ("genuine", "pair"),
        **dict.fromkeys((SECOND, THIRD, FOURTH, FIFTH), ("clone", "stop")),
    }
    assert told(register) == dict.fromkeys((SECOND, THIRD, FOURTH, FIFTH), compact(BLOCK))
    assert excepted(register) == {(A, OWNER)}
    assert register.rows("blocked") == []
    register.run(BLOCK)
    assert register.rows("blocked") == [(A, compact(BLOCK), "Copied identity")]
    assert excepted(register) == {(A, OWNER)}
    assert told(register) == {}


def test_while_nobody_is_known_to_be_genuine_all_go_on_and_who_comes_after_the_block_is_refused(
    make: Make,
) -> None:
    register = make(CLONED)
    copied(register, owner=False)
    register.run(D)
    # the first user alone is not evidence enough
    assert set(claims(register).values()) == {("undecided", "keep")}
    assert told(register) == {}
    used(register, A, ALL, D + timedelta(days=1), BLOCK)
    register.run(BLOCK)
    assert register.rows("blocked") == [(A, compact(BLOCK), "Copied identity")]
    assert excepted(register) == {(A, imsi) for imsi in ALL}
    used(register, A, (*ALL, LATE), BLOCK + timedelta(days=1), BLOCK + timedelta(days=20))
    register.run(BLOCK + timedelta(days=20))
    assert claims(register)[LATE] == ("undecided", "refuse")
    assert excepted(register) == {(A, imsi) for imsi in ALL}
    assert told(register) == {}


def test_a_line_called_a_clone_only_after_the_block_has_a_grace_of_its_own_and_is_told(make: Make) -> None:
    register = make(CLONED)
    copied(register, owner=False)
    register.run(D)
    used(register, A, ALL, D + timedelta(days=1), BLOCK)
    register.run(BLOCK)
    assert excepted(register) == {(A, imsi) for imsi in ALL}
    register.take("associations", [f"P-1,{A}"], BLOCK)
    later = BLOCK + timedelta(days=5)
    register.run(later)
    others = (SECOND, THIRD, FOURTH, FIFTH)
    stop = compact(later + timedelta(days=30))
    assert register.rows("blocked") == [(A, compact(BLOCK), "Copied identity")]
    assert told(register) == dict.fromkeys(others, stop)
    assert excepted(register) == {(A, imsi) for imsi in ALL}
    used(register, A, ALL, BLOCK + timedelta(days=1), later + timedelta(days=30))
    register.run(later + timedelta(days=29))
    assert told(register) == dict.fromkeys(others, stop)
    register.run(later + timedelta(days=30))
    assert (told(register), excepted(register)) == ({}, {(A, OWNER)})


def test_a_theft_stops_every_line_of_a_copied_identity_and_a_golden_device_none(make: Make) -> None:
    register = make(CLONED, STOLEN)
    copied(register)
    register.take("stolen", [f"{A},,"], D)
    register.run(D)
    assert register.rows("blocked") == [(A, compact(D), "Copied identity|Stolen")]
    assert (excepted(register), told(register)) == (set(), {})
    register.take("golden", [A], D)
    register.run(D)
    assert (register.rows("blocked"), excepted(register), told(register)) == ([], set(), {})


def test_an_appeal_takes_the_block_and_its_exceptions_away_and_a_pairing_is_not_repeated(make: Make) -> None:
    register = make(CLONED)
    copied(register)
    register.take("pairings", [f"{A},{OWNER},{number(OWNER)}"], D)
    register.run(D)
    listed = [row for n in ("operator1", "operator2") for row in register.rows(("exceptions", n))]
    assert listed == [(A, OWNER, number(OWNER))]
    register.take("appeals", [f"{A},cloned"], D)
    register.run(D)
    assert told(register) == {}
    assert [row[1] for row in register.rows("decisions")] == ["trial"]


def test_all_lines_of_the_genuine_person_go_on(make: Make) -> None:
    register = make(CLONED)
    people(register)
    register.take("associations", [f"P-4,{A}"], D)
    used(register, A, ALL, date(2026, 3, 1), D)
    register.run(D)
    assert claims(register)[FOURTH] == claims(register)[FIFTH] == ("genuine", "pair")
    assert excepted(register) == {(A, FOURTH), (A, FIFTH)}


def test_undecided_identities_are_frozen_and_nobody_is_told(make: Make) -> None:
    register = make(FROZEN)
    people(register, owner=False)
    used(register, B, [OWNER, SECOND], date(2026, 3, 1), BLOCK)
    register.run(D)
    register.run(BLOCK)
    assert register.rows("blocked") == [(B, compact(BLOCK), "Perhaps copied")]
    assert excepted(register) == {(B, OWNER), (B, SECOND)}
    assert told(register) == {}


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (CLONED.replace('exceptions = "genuine"\n', ""), "one of them is the genuine one"),
        (FROZEN.replace('"present"', '"genuine"'), "needs the rule cloned"),
        (FROZEN.replace('exceptions = "present"\n', ""), "undecided cuts nobody"),
        (STOLEN + 'exceptions = "genuine"\n', "needs the rule cloned"),
        (CLONED.replace("clones-1", "clones-0"), "none of clones-1"),
        (CLONED.replace('"clones-1" }', '"clones-1", clear_at = 9.0 }'), "out of order"),
        (CLONED.replace('"clones-1" }', '"clones-1", least_signals = 1 }'), "less than 2"),
    ],
)
def test_a_policy_that_could_cut_somebody_for_a_guess_is_refused(condition: str, fault: str) -> None:
    with pytest.raises(PolicyError, match=fault):
        parse_policy('mode = "permissive"\n' + HEAD + condition, "policy")


def test_the_second_engine_finds_the_same_claims_and_writes_the_same_lists(tmp_path: Path) -> None:
    pytest.importorskip("pysail", reason="the Sail server is not installed")
    policy = 'mode = "permissive"\n' + HEAD + CLONED + FROZEN
    told_by = []
    with SailServer() as address:
        duck = Register.make(tmp_path / "duck", policy)
        sail = Register.make(
            tmp_path / "sail", policy, engine=lambda: SparkEngine(address, tmp_path / "scratch")
        )
        for register in (duck, sail):
            copied(register)
            used(register, B, [OWNER, SECOND], date(2026, 3, 1), D)
            register.run(D)
            told_by.append((claims(register), register.list_bytes(), register.export()))
    assert told_by[0] == told_by[1]
    assert len(told_by[0][0]) == 5
