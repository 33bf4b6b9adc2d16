"""A full list replaces, a delta changes; an entry that stands unchanged keeps the day it came on the list."""

import tempfile
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ceir.clock import day_number
from ceir.sources import all_sources

from .conftest import Desk

STOLEN = "imei,reporting_date,status\n"
DELTA = "imei,reporting_date,status,change_type\n"
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 10, day) for day in (5, 6, 7))
MON, TUE, WED = (day_number(day) for day in (MONDAY, TUESDAY, WEDNESDAY))
A, B, C = 35675904000001, 35675904000002, 35675904000003


def since(desk: Desk, source: str = "stolen") -> dict[object, object]:
    return dict(desk.entries(source, "imei, since"))


def test_a_full_list_replaces_and_keeps_the_day_of_what_stands_unchanged(desk: Desk) -> None:
    desk.take("stolen", STOLEN + f"{A},20260101,\n{B},,blacklist\n", on=MONDAY)
    desk.take("stolen", STOLEN + f"{B},,recovered\n{A},2026-01-01,\n{C},,\n", on=TUESDAY)
    assert since(desk) == {A: MON, B: TUE, C: TUE}
    desk.take("stolen", STOLEN + f"{C},,\n", on=WEDNESDAY)
    assert since(desk) == {C: TUE}


def test_an_entry_that_left_and_came_back_is_new(desk: Desk) -> None:
    desk.take("stolen", STOLEN + f"{A},,\n{B},,\n", on=MONDAY)
    desk.take("stolen", STOLEN + f"{B},,\n", on=TUESDAY)
    desk.take("stolen", STOLEN + f"{A},,\n{B},,\n", on=WEDNESDAY)
    assert since(desk) == {A: WED, B: MON}


def test_a_delta_adds_removes_and_updates_and_leaves_the_rest_alone(desk: Desk) -> None:
    desk.take("stolen", STOLEN + f"{A},,\n{B},,pending\n", on=MONDAY)
    delta = DELTA + f"{A},,,remove\n{B},,blacklist,UPDATE\n{C},20260102,, add \n"
    taken = desk.take("stolen", delta, on=TUESDAY, delta=True, accepted={})
    assert desk.entries("stolen", "imei, reporting_date, status, since") == [
        (B, None, "blacklist", TUE),
        (C, 20455, None, TUE),
    ]
    assert (taken.delta, taken.counts.kept, desk.workspace.catalogue().lists["stolen"].rows) == (True, 3, 2)


def test_a_change_that_changes_nothing_keeps_the_day(desk: Desk) -> None:
    desk.take("stolen", STOLEN + f"{A},20260101,pending\n{B},,\n", on=MONDAY)
    delta = DELTA + f"{A},20260101,pending,update\n{B},,,add\n"
    desk.take("stolen", delta, on=TUESDAY, delta=True)
    assert since(desk) == {A: MON, B: MON}


def test_removing_looks_at_the_key_alone(desk: Desk) -> None:
    desk.take("stolen", STOLEN + f"{A},20260101,pending\n", on=MONDAY)
    desk.take("stolen", DELTA + f"{A},,,remove\n", on=TUESDAY, delta=True, accepted={})
    assert since(desk) == {}


def test_a_delta_may_come_first(desk: Desk) -> None:
    desk.take("stolen", DELTA + f"{A},,,add\n", on=MONDAY, delta=True, accepted={})
    desk.take("stolen", DELTA + f"{B},,,add\n", on=TUESDAY, delta=True, accepted={})
    assert since(desk) == {A: MON, B: TUE}


def test_parts_of_a_key_that_are_empty_are_the_same_key(desk: Desk) -> None:
    text = f"imei,imsi,msisdn\n{A},111010000000001,\n{A},111010000000001,220000000001\n"
    desk.take("pairings", text, on=MONDAY)
    delta = f"imei,imsi,msisdn,change_type\n{A},111010000000001,,remove\n"
    taken = desk.take("pairings", delta, on=TUESDAY, delta=True)
    assert all(c.passed for c in taken.checks)
    assert desk.entries("pairings", "msisdn, since") == [(1220000000001, MON)]
    desk.take("pairings", f"imei,imsi,msisdn\n{A},111010000000001,\n", on=WEDNESDAY)
    desk.take("pairings", f"imei,imsi\n{A},111010000000001\n{B},111010000000002\n", on=WEDNESDAY)
    assert since(desk, "pairings") == {A: WED, B: WED}


def test_an_update_is_only_for_lists_that_know_it(desk: Desk) -> None:
    desk.take("barred", f"imei\n{A}\n")
    taken = desk.take("barred", f"imei,change_type\n{A},update\n{B},add\n", delta=True)
    assert [(q.line, q.column, q.reason) for q in desk.quarantined(taken)] == [
        (2, "change_type", "expected add or remove")
    ]
    assert "update" in all_sources()["stolen"].changes


@pytest.mark.parametrize("change", ["", "drop", "adds", "blacklist"])
def test_a_row_with_another_change_is_set_apart(desk: Desk, change: str) -> None:
    taken = desk.take("stolen", DELTA + f"{A},,,{change}\n{B},,,add\n", delta=True)
    assert [(q.line, q.column) for q in desk.quarantined(taken)] == [(2, "change_type")]
    assert since(desk).keys() == {B}


IMEIS = st.sampled_from([f"3567590400000{n}" for n in range(6)])
ENTRIES = st.dictionaries(IMEIS, st.sampled_from(["", "blacklist", "pending"]), max_size=6)
CHANGES = st.dictionaries(
    IMEIS,
    st.tuples(st.sampled_from(["", "blacklist", "pending"]), st.sampled_from(["add", "remove", "update"])),
    max_size=4,
)


@dataclass(frozen=True)
class File:
    delta: bool
    rows: dict[str, tuple[str, str]]

    def text(self) -> str:
        lines = [f"{i},,{status}" + f",{change}" * self.delta for i, (status, change) in self.rows.items()]
        return (DELTA if self.delta else STOLEN) + "".join(f"{line}\n" for line in lines)


FILES = st.one_of(
    ENTRIES.map(lambda e: File(False, {i: (status, "") for i, status in e.items()})),
    CHANGES.map(lambda c: File(True, c)),
)
State = dict[int, tuple[str | None, int]]


def after(state: State, file: File, day: int) -> State:
    """The list after a file, as a plain dictionary."""
    fresh = {int(imei): status or None for imei, (status, change) in file.rows.items() if change != "remove"}
    kept = {i: e for i, e in state.items() if file.delta and str(i) not in file.rows}
    for imei, status in fresh.items():
        old = state.get(imei)
        kept[imei] = old if old and old[0] == status else (status, day)
    return kept


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(FILES, min_size=1, max_size=5), st.data())
def test_a_list_is_what_its_files_make_of_a_dictionary_also_without_one_that_is_undone(
    files: list[File], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk.at(Path(folder))
        taken: list[tuple[int, File]] = []

        def expected() -> State:
            state: State = {}
            for number, file in taken:
                state = after(state, file, MON + number)
            return state

        def found() -> State:
            rows = desk.entries("stolen", "imei, status, since")
            return {imei: (status, day) for imei, status, day in rows}  # type: ignore[misc]

        for number, file in enumerate(files):
            record = desk.take("stolen", file.text(), on=MONDAY + timedelta(days=number), delta=file.delta)
            if record.received_on == MONDAY + timedelta(days=number):  # not the same file again
                taken.append((number, file))
            assert found() == expected()
        live = desk.workspace.catalogue().live
        rested_on = [
            n for n, i in enumerate(live) if not i.delta and [x.delta for x in live[n + 1 : n + 2]] == [True]
        ]
        loose = [n for n in range(len(live)) if n not in rested_on]
        gone = data.draw(st.sampled_from(loose))
        desk.undo(live[gone])
        del taken[gone]
        if taken:
            assert found() == expected()
        else:
            assert "stolen" not in desk.workspace.catalogue().lists
