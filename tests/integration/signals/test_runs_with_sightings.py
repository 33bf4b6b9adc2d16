"""Sightings, fingerprints and cells in runs: what comes, goes or changes is looked at anew, and explained."""

from datetime import date, timedelta
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from building import Register, compact, registration_row
from ceir.pipeline.classify import running
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.explaining import Explanation, explain
from ceir.pipeline.retaining import prune

from .looking import HEAD, D, condition

POLICY = HEAD + "".join(
    condition(rule, f"{parameters}, window_days = 20")
    for rule, parameters in {
        "impossible_journey": "days = 1",
        "simultaneous_sessions": "days = 1",
        "separate_homes": "least_nights = 2",
        "software_flip_flop": "times = 1",
        "fingerprint_disagreement": "days = 1",
        "pair_never_together": "days = 1",
    }.items()
)
A, B, MATE = "35100001000001", "35100001000002", "35100001000003"
ONE, TWO = "111010000000001", "111010000000002"
CELLS = ["here,10.0,20.0,2000", "there,12.0,20.0,2000"]


def at(ago: int, clock: str) -> str:
    return f"{D - timedelta(days=ago)}T{clock}Z"


def seen(*imeis: str) -> list[str]:
    """Rows of observations: each identity with both subscribers."""
    day = compact(D - timedelta(days=30))
    return [f"{day},{imei},{imsi},220000000001,006" for imei in imeis for imsi in (ONE, TWO)]


def journey(imei: str, ago: int) -> list[str]:
    return [
        f"{imei},{ONE},here,{at(ago, '11:00:00')},{at(ago, '12:00:00')}",
        f"{imei},{TWO},there,{at(ago, '12:03:00')},{at(ago, '12:04:00')}",
    ]


def table(register: Register, name: str) -> list[dict[str, object]]:
    run = register.workspace.catalogue().runs[-1]
    found: list[dict[str, object]] = (
        ds.dataset(register.root / f"runs/{run.id:05d}/{name}").to_table().to_pylist()
    )
    return found


def assert_as_afresh(register: Register, day: date, folder: Path) -> set[str]:
    """A run that looks at what changed finds what one finds that looks at all. Returns: labels of A."""
    afresh = register.copy(folder)
    found = register.classify(day)
    assert found.mode == "changed"
    assert afresh.classify(day, full=True).mode == "full"
    for name in ("verdicts", "ended", "evidence"):
        assert table(register, name) == table(afresh, name)
    return register.labels().get(A, set()) - {"all"}


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setattr(running, "MOST_CHANGED", 10.0)
    register = Register.make(tmp_path / "register", POLICY)
    register.take("observations", seen(A, B, MATE), D, operator="operator1")
    register.take("cells", CELLS, D)
    register.take("registrations", [registration_row(i, device=f"D{i[-1]}") for i in (A, B, MATE)], D)
    register.take("sightings", journey(B, 3), D, operator="operator1")
    register.take("fingerprints", [f"{B},{ONE},{compact(D)},03,x,a"], D, operator="operator1")
    register.classify(D)
    return register


def test_whatever_comes_goes_or_changes_is_looked_at_again(register: Register, tmp_path: Path) -> None:
    assert register.labels() == {A: {"all"}, B: {"all", "impossible_journey"}, MATE: {"all"}}
    late = register.take("sightings", journey(A, 4), D, operator="operator1")
    assert assert_as_afresh(register, D, tmp_path / "sightings") == {"impossible_journey"}

    moved = register.take("cells", [CELLS[0], "there,10.05,20.0,2000"], D)
    assert assert_as_afresh(register, D, tmp_path / "cells") == set()
    register.undo(moved)
    assert assert_as_afresh(register, D, tmp_path / "cells-back") == {"impossible_journey"}

    prints = register.take(
        "fingerprints",
        [
            f"{A},{who},{compact(D - timedelta(days=ago))},03,{word},a"
            for ago in (1, 0)
            for who, word in ((ONE, "x"), (TWO, "y"))
        ],
        D,
        operator="operator1",
    )
    both = {"impossible_journey", "fingerprint_disagreement"}
    assert assert_as_afresh(register, D, tmp_path / "prints") == both
    register.undo(prints)
    assert assert_as_afresh(register, D, tmp_path / "prints-gone") == {"impossible_journey"}

    # another identity moves, and another's registration says that it is of A's device
    register.take(
        "sightings",
        [f"{MATE},{ONE},there,{at(4, '11:01:00')},{at(4, '11:02:00')}"],
        D,
        operator="operator2",
    )
    assert assert_as_afresh(register, D, tmp_path / "mate") == {"impossible_journey"}
    paired = [registration_row(i, device="D1" if i != B else "D2") for i in (A, B, MATE)]
    register.take("registrations", paired, D)
    pair = {"impossible_journey", "pair_never_together"}
    assert assert_as_afresh(register, D, tmp_path / "paired") == pair
    assert register.labels()[MATE] == {"all", "pair_never_together"}

    # days pass, and what happened four days before the first run leaves the window of twenty
    assert assert_as_afresh(register, D + timedelta(days=15), tmp_path / "inside") == pair
    assert assert_as_afresh(register, D + timedelta(days=16), tmp_path / "outside") == set()

    register.undo(late)
    assert assert_as_afresh(register, D + timedelta(days=16), tmp_path / "undone") == set()


def explained(register: Register, imei: str, *, subscribers: bool = False) -> Explanation:
    engine = DuckEngine(Limits(register.root / "tmp"))
    try:
        return explain(register.workspace, imei, engine, subscribers=subscribers)
    finally:
        engine.close()


def test_an_explanation_shows_who_was_where_when_and_how_fast(register: Register) -> None:
    (verdict,) = (v for v in explained(register, B).verdicts if v.condition == "impossible_journey")
    (rows,) = verdict.rows
    (row,) = rows.rows
    assert rows.headings[0] == "second one since"
    assert row[:5] == (
        f"{D - timedelta(days=3)} 12:03:00 UTC",
        "subscriber 1",
        "here",
        "subscriber 2",
        "there",
    )
    assert row[5:7] == ("180", "222.4 km")
    assert int(row[7]) > 1_000

    (verdict,) = (
        v for v in explained(register, B, subscribers=True).verdicts if v.condition == "impossible_journey"
    )
    assert verdict.rows[0].rows[0][1:5] == (ONE, "here", TWO, "there")


def test_an_explanation_of_a_pair_looks_at_the_other_identity_too(register: Register) -> None:
    rows = [
        *(f"{A},{ONE},here,{at(n, '11:00:00')},{at(n, '11:01:00')}" for n in (2, 3)),
        *(f"{MATE},{TWO},there,{at(n, '11:01:00')},{at(n, '11:02:00')}" for n in (2, 3)),
    ]
    register.take("sightings", rows, D, operator="operator1")
    register.take("registrations", [registration_row(i, device="D1") for i in (A, MATE)], D)
    register.classify(D)
    (verdict,) = (v for v in explained(register, A).verdicts if v.condition == "pair_never_together")
    (told,) = verdict.rows
    assert [row[1:] for row in told.rows] == [(MATE, "218.4 km")] * 2


def test_retention_drops_sightings_and_fingerprints_of_old_months(register: Register) -> None:
    report = prune(register.workspace, D + timedelta(days=300), Limits(register.root / "tmp"))
    assert report.files == 3  # a month of observations, of sightings and of fingerprints
    register.classify(D, full=True)
    assert "impossible_journey" not in register.labels().get(B, set())


def test_what_cannot_be_a_place_is_set_apart(tmp_path: Path) -> None:
    register = Register.make(tmp_path / "register", POLICY)
    good = ["a,-90,180,0", "b,90.0,-180.000000,", "c,+0.5,-0.0000005,200000"]
    bad = [
        *("d,90.000001,0,", "e,0,180.1,", "f,1e1,0,", "g,,0,", "h,0,0,-1", "i,0,0,200001", "j,0,0,1.5"),
        *("k,nan,0,", "l,0 0,0,", ",0,0,", "m,١,0,", "n,0x1,0,"),
    ]
    taken = register.take("cells", good + bad, D)
    assert (taken.counts.kept, taken.counts.quarantined) == (len(good), len(bad))
    state = register.workspace.catalogue().lists["cells"]
    rows = ds.dataset(register.root / state.path).to_table().to_pylist()
    assert [(r["cell"], r["latitude"], r["longitude"], r["radius_m"]) for r in rows] == [
        ("a", -90_000_000, 180_000_000, 0),
        ("b", 90_000_000, -180_000_000, None),
        ("c", 500_000, -1, 200_000),
    ]
