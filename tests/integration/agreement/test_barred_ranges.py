"""Ranges of barred identities: who lies in one, who is looked at again when one moves, and what people are
told."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building import HEADERS, Register, compact, write_text
from ceir.facts._ranges import in_ranges_sql
from ceir.pipeline.classify import running
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.explaining import Explanation, explain
from oracle import Inputs, load

from .conditions import HEAD

D = date(2026, 3, 31)
NEXT = D + timedelta(days=1)
TAC = 35100001_000000
MANY = [f"{TAC + n:014d}" for n in range(1, 41)]
A, B, C = MANY[:3]
OTHER = "35100002000001"
MALFORMED = "351000010000"

POLICY = f"""{HEAD}
[conditions.ranged]
all = [{{ rule = "imei_range_barred" }}]
reason = "Barred range"
grace_days = 10
blocking = true
max_match_ratio = 1.0
[conditions.beside]
all = [{{ rule = "not_associated" }}, {{ rule = "imei_range_barred", not = true }}]
reason = "Beside"
"""

Identities = list[int]
Ranges = list[tuple[int, int]]
Ask = Callable[[Identities, Ranges], dict[int, tuple[int, int]]]


def make(root: Path, imeis: Iterable[str], policy: str = POLICY) -> Register:
    """A register that has seen these; nobody declared one of them as his own."""
    made = Register.make(root, policy)
    rows = [f"{compact(D)},{imei},111010000000001,220000000001,006" for imei in imeis]
    made.take("observations", rows, D, operator="operator1")
    made.take("associations", [], D)
    return made


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """Forty devices of a TAC, one of the next and a malformed one, all seen."""
    return make(tmp_path / "register", [*MANY, OTHER, MALFORMED])


def ranged(register: Register) -> set[str]:
    """Who is in a barred range; everybody else is known to be in none."""
    labels = register.labels()
    found = {imei for imei, held in labels.items() if "ranged" in held}
    assert {imei for imei, held in labels.items() if "beside" in held} == {*MANY, OTHER, MALFORMED} - found
    return found


def explained(register: Register, imei: str) -> Explanation:
    engine = DuckEngine(register.limits)
    try:
        return explain(register.workspace, imei, engine)
    finally:
        engine.close()


# who is looked at again


def test_a_changed_run_looks_at_who_lies_in_a_range_that_came_went_or_moved_and_at_nobody_else(
    register: Register,
) -> None:
    register.take("barred-ranges", [f"{A},{A}", f"{MANY[9]},{MANY[10]}", "35100002000000,35100002000001"], D)
    register.run(D)
    assert ranged(register) == {A, MANY[9], MANY[10], OTHER}
    register.take("barred-ranges", [f"{A},{A}", f"{MANY[9]},{MANY[11]}", f"{B},{B}"], NEXT)
    run = register.run(NEXT)
    assert (run.mode, run.looked_at) == ("changed", 5)
    assert ranged(register) == {A, B, *MANY[9:12]}


def test_ranges_may_change_by_a_delta(register: Register) -> None:
    register.take("barred-ranges", [f"{A},{B}", f"{B},{C}"], D)
    register.run(D)
    register.take("barred-ranges", [f"{A},{B},remove", f"{OTHER},{OTHER},add"], NEXT, delta=True)
    assert register.run(NEXT).mode == "changed"
    assert ranged(register) == {B, C, OTHER}


def test_an_undone_list_of_ranges_lets_go_and_its_verdicts_start_anew(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    register.take("barred-ranges", [f"{C},{C}"], D)
    register.run(D)
    mistake = register.take("barred-ranges", [f"{A},{C}"], NEXT)
    register.run(NEXT)
    register.undo(mistake)
    later = NEXT + timedelta(days=1)
    assert register.run(later).mode == "changed"
    assert ranged(register) == {C}
    register.take("barred-ranges", [f"{A},{C}"], later)
    last = later + timedelta(days=1)
    register.run(last)
    since = {v.imei: v.first_matched_on for v in register.verdicts() if v.rule == "ranged"}
    assert since == {A: last, B: last, C: D}


def test_a_sticky_verdict_that_rested_on_an_undone_list_of_ranges_does_not_stick(tmp_path: Path) -> None:
    policy = POLICY.replace('reason = "Barred range"', 'reason = "Barred range"\nsticky = true')
    register = make(tmp_path / "register", [A, B, MALFORMED], policy)
    register.take("barred-ranges", [f"{A},{A}"], D)
    register.run(D)
    mistake = register.take("barred-ranges", [f"{A},{B}"], NEXT)
    register.run(NEXT)
    assert register.labels()[B] == {"ranged"}
    register.undo(mistake)
    register.run(NEXT + timedelta(days=1))
    assert register.labels() == {A: {"ranged"}, B: {"beside"}, MALFORMED: {"beside"}}


# software versions decide nothing


def test_software_versions_change_no_verdict_also_when_they_are_undone(register: Register) -> None:
    register.take("barred-ranges", [f"{A},{A}"], D)
    register.run(D)
    before = register.verdicts()
    mistake = register.take("software-versions", [f"{A},01,blocked", f"{B},02,tracked"], NEXT)
    run = register.run(NEXT)
    assert (run.mode, run.looked_at) == ("changed", 0)
    assert register.verdicts() == before
    register.undo(mistake)
    register.run(NEXT)
    assert register.verdicts() == before


def test_the_entries_in_force_are_those_that_plain_recomputation_reads(register: Register) -> None:
    versions = [
        f"{A},01,blocked",
        f"{A}5,02,Tracked",
        f"{B},01, permitted",
        f"{B},1,blocked",
        "AB,01,blocked",
    ]
    ranges = [
        f"{A},{B}",
        f"{B},{A}",
        f"{A}7,{C}FF",
        f"{A},",
        f"{A},{int(A) + 999_999}",
        f"{A},{int(A) + 10**6}",
    ]
    rows = {"software-versions": versions, "barred-ranges": ranges}
    lists: dict[str, str | Path | None] = {}
    for source, listed in rows.items():
        lists[source] = write_text(register.root.with_name(f"{source}.csv"), [HEADERS[source], *listed])
        register.take(source, listed, D)
    world = load(Inputs([], None, lists))
    assert world.software_versions == {
        (f"{row['imei']:014d}", f"{row['software_version']:02d}"): row["status"]
        for row in in_force(register, "software-versions")
    }
    assert sorted(world.barred_ranges or ()) == [
        (f"{row['first_imei']:014d}", f"{row['last_imei']:014d}")
        for row in in_force(register, "barred-ranges")
    ]
    assert world.rejected == {"software-versions": 2, "barred-ranges": 3}


def in_force(register: Register, source: str) -> list[dict[str, Any]]:
    """The entries of a list in force, by key."""
    path = register.workspace.path(register.workspace.catalogue().lists[source].path)
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


# what people are told


def test_an_explanation_names_the_range_and_every_entry_that_speaks_of_the_identity(
    register: Register,
) -> None:
    register.take("barred-ranges", [f"{A},{C}", f"{B},{C}", f"{C},{MANY[20]}", f"{C},{C}"], D)
    register.take("software-versions", [f"{C},07,tracked", f"{B},08,blocked"], D)
    register.run(D)
    told = explained(register, C)
    (verdict,) = told.verdicts
    assert verdict.sentences == (
        f"The regulator barred every device with an identity in the range {C}-{MANY[20]}, and this is one "
        "of them.",
    )
    assert verdict.evidence == (("Barred range", f"{C}-{MANY[20]}", ""),)
    day = D.isoformat()
    assert [(entry.list, *entry.details) for entry in told.lists] == [
        ("barred-ranges", ("first imei", A), ("last imei", C), ("since", day)),
        ("barred-ranges", ("first imei", B), ("last imei", C), ("since", day)),
        ("barred-ranges", ("first imei", C), ("last imei", C), ("since", day)),
        ("barred-ranges", ("first imei", C), ("last imei", MANY[20]), ("since", day)),
        ("software-versions", ("software version", "07"), ("status", "tracked"), ("since", day)),
    ]
    assert explained(register, B).verdicts[0].evidence == (("Barred range", f"{B}-{C}", ""),)
    (other,) = explained(register, OTHER).verdicts
    assert (other.condition, other.evidence[-1]) == ("beside", ("Barred range", "none", ""))


def test_a_range_with_zeros_before_it_is_told_with_them(tmp_path: Path) -> None:
    register = make(tmp_path / "register", ["00000000000007"])
    register.take("barred-ranges", ["00000000000000,00000000999999"], D)
    register.run(D)
    told = explained(register, "00000000000007")
    assert told.verdicts[0].evidence[0][1] == "00000000000000-00000000999999"
    assert told.lists[0].details[0] == ("first imei", "00000000000000")


# the query


def near(tac: int) -> st.SearchStrategy[int]:
    """Identities about the borders of a TAC and within it."""
    edges = st.sampled_from((0, 1, 2, 3, 500_000, 999_998, 999_999))
    return st.builds(
        lambda serial, beside: max(0, tac * 1_000_000 + serial + beside), edges, st.integers(-2, 2)
    )


IDENTITIES = st.one_of(*(near(tac) for tac in (0, 1, 35100001, 35100002, 99999999))).filter(
    lambda i: i < 10**14
)
WIDTHS = st.sampled_from((0, 0, 1, 2, 5, 499_999, 999_998, 999_999))
RANGES = st.tuples(IDENTITIES, WIDTHS).map(lambda r: (r[0], min(r[0] + r[1], 10**14 - 1)))


def rows_of(values: list[tuple[int, ...]], columns: tuple[str, ...]) -> str:
    """A relation of these rows."""
    empty = ", ".join(f"CAST(NULL AS BIGINT) AS {c}" for c in columns)
    selects = [
        ", ".join(f"CAST({v} AS BIGINT) AS {c}" for v, c in zip(row, columns, strict=True)) for row in values
    ]
    return " UNION ALL ".join([f"SELECT {empty} WHERE 1 = 0", *(f"SELECT {s}" for s in selects)])


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """Who of these lies in which of these ranges, as the query says."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:

        def asking(identities: Identities, ranges: Ranges) -> dict[int, tuple[int, int]]:
            equipment = rows_of([(i, i // 1_000_000) for i in identities], ("imei", "tac"))
            bars = rows_of(list(ranges), ("first_imei", "last_imei"))
            found = connection.execute(in_ranges_sql(f"({equipment}) AS e", f"({bars}) AS r")).fetchall()
            assert len({imei for imei, _, _ in found}) == len(found)
            return {imei: (first, last) for imei, first, last in found}

        yield asking


@settings(max_examples=150, deadline=None)
@given(st.lists(IDENTITIES, unique=True, max_size=25), st.lists(RANGES, max_size=12))
def test_of_all_ranges_about_an_identity_the_one_that_reaches_furthest_is_found_and_then_the_shortest(
    ask: Ask, identities: Identities, ranges: Ranges
) -> None:
    wanted = {}
    for imei in identities:
        about = [(last, first) for first, last in ranges if first <= imei <= last]
        if about:
            last, first = max(about)
            wanted[imei] = (first, last)
    assert ask(identities, ranges) == wanted
