"""What is undone leaves no row behind, and everything is as if it had never come."""

from datetime import date
from pathlib import Path

import pytest

from ceir.errors import UsageError
from ceir.pipeline.catalogue import Ingest
from ceir.pipeline.classify import Request, classify
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest import undo
from ceir.pipeline.ingest.undoing import CannotUndoError
from ceir.pipeline.retaining import prune

from .conftest import OBSERVED, Desk, query, tree

LATER = date(2027, 12, 1)


def full(*imeis: int) -> str:
    return "imei\n" + "".join(f"{35675904000000 + n}\n" for n in imeis)


def delta(change: str, *imeis: int) -> str:
    return "imei,change_type\n" + "".join(f"{35675904000000 + n},{change}\n" for n in imeis)


def barred(desk: Desk) -> list[object]:
    return [int(str(imei)) - 35675904000000 for (imei,) in desk.entries("barred", "imei")]


def lake(desk: Desk) -> set[str]:
    """The data files of a workspace."""
    return {path for path in tree(desk.workspace.root) if Path(path).suffix in (".parquet", ".csv")}


def test_an_undone_list_gives_way_to_the_one_before(desk: Desk) -> None:
    desk.take("barred", full(1, 2))
    files = lake(desk)
    second = desk.take("barred", full(2, 3))
    undone = desk.undo(second)
    assert barred(desk) == [1, 2]
    assert (undone.state, undone.undone_because, undone.files) == ("undone", "a test", {})
    assert desk.workspace.catalogue().ingests == (desk.workspace.catalogue().ingests[0], undone)
    assert len(lake(desk)) == len(files) + 1  # the list as it was, made again
    assert desk.workspace.sweep() == []


def test_the_only_list_undone_was_never_there(desk: Desk) -> None:
    desk.undo(desk.take("barred", full(1) + "?\n"))
    assert desk.workspace.catalogue().lists == {}
    assert lake(desk) == set()


def test_a_list_undone_in_the_middle_changes_nothing_but_since_when_entries_stand(desk: Desk) -> None:
    desk.take("barred", full(1), on=date(2026, 10, 1))
    middle = desk.take("barred", full(2, 3), on=date(2026, 10, 2))
    desk.take("barred", full(1, 2), on=date(2026, 10, 3))
    assert desk.entries("barred", "since") == [(20729,), (20728,)][::-1]
    desk.undo(middle)
    assert desk.entries("barred", "imei, since") == [(35675904000001, 20727), (35675904000002, 20729)]
    assert desk.workspace.catalogue().lists["barred"].ingests == (3,)


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_any_delta_can_be_undone_while_the_others_stay(desk: Desk, gone: int) -> None:
    desk.take("barred", full(1, 2))
    changes = [("add", 3), ("remove", 1), ("add", 4)]
    taken = [desk.take("barred", delta(change, n), delta=True) for change, n in changes]
    assert barred(desk) == [2, 3, 4]
    desk.undo(taken[gone])
    assert barred(desk) == [[2, 4], [1, 2, 3, 4], [2, 3]][gone]


def test_a_list_that_deltas_rest_on_is_undone_only_after_them(desk: Desk) -> None:
    desk.take("barred", full(9))
    base = desk.take("barred", full(1))
    first = desk.take("barred", delta("add", 2), delta=True)
    second = desk.take("barred", delta("add", 3), delta=True)
    with desk.unchanged(), pytest.raises(CannotUndoError, match="rest on ingest 2") as caught:
        desk.undo(base)
    assert "the newest first: 4, 3" in caught.value.hint
    for ingest in (second, first, base):
        desk.undo(ingest)
    assert barred(desk) == [9]


def test_deltas_that_a_later_list_replaced_do_not_rest_on_an_earlier_one(desk: Desk) -> None:
    base = desk.take("barred", full(1))
    desk.take("barred", full(2))
    desk.take("barred", delta("add", 3), delta=True)
    desk.undo(base)
    assert barred(desk) == [2, 3]


def test_other_sources_have_nothing_to_do_with_it(desk: Desk) -> None:
    first = desk.take("barred", full(1))
    desk.take("monitored", delta("add", 1), delta=True)
    desk.undo(first)
    assert desk.entries("monitored", "imei") == [(35675904000001,)]


def test_an_ingest_is_undone_once(desk: Desk) -> None:
    taken = desk.take("barred", full(1))
    desk.undo(taken)
    with desk.unchanged(), pytest.raises(UsageError, match="was undone already: a test"):
        desk.undo(taken)
    with desk.unchanged(), pytest.raises(UsageError, match="no ingest 7"):
        undo(desk.workspace, 7, "why not", desk.limits)


def test_what_retention_has_deleted_cannot_be_undone_nor_brought_back(desk: Desk) -> None:
    for n in range(3):
        text = f"uid,imsi\nP,{111010000000000 + n}\n"
        desk.take("subscribers", text, on=date(2026, 1, 1 + n))
    old, older, newest = desk.workspace.catalogue().ingests
    assert prune(desk.workspace, LATER, desk.limits).lists == 2
    with desk.unchanged(), pytest.raises(CannotUndoError, match="deleted the rows of ingest 2"):
        desk.undo(older)
    with desk.unchanged(), pytest.raises(CannotUndoError, match="deleted the list of subscribers"):
        desk.undo(newest)
    fresh = desk.take("subscribers", "uid,imsi\nP,111010000000009\n", on=LATER)
    desk.undo(newest)
    assert desk.entries("subscribers", "imsi") == [(1111010000000009,)]
    with desk.unchanged(), pytest.raises(CannotUndoError):
        desk.undo(fresh)
    assert old.counts.stored == 1


def observed(operator: str, day: int, *devices: int, imsi: int = 1) -> tuple[str, str]:
    rows = "".join(
        f"202610{day:02d},{35675904000000 + n},11101{imsi:010d},22{imsi:010d},006\n" for n in devices
    )
    return OBSERVED + rows, f"{operator}_202610{day:02d}_202610{day:02d}.csv"


def take(desk: Desk, *parts: tuple[str, str]) -> list[Ingest]:
    return [desk.take("observations", text, name=name) for text, name in parts]


def run(desk: Desk, folder: str) -> dict[str, list[tuple[object, ...]]]:
    """What a classification finds: the verdicts, and the devices they are about."""
    engine = DuckEngine(Limits(desk.workspace.root.parent / folder, threads=1))
    try:
        waived = dict.fromkeys(desk.workspace.policy()[0].conditions, "a test")
        found, _ = classify(desk.workspace, Request(date(2026, 10, 31), waived), engine)
    finally:
        engine.close()
    devices = desk.workspace.catalogue().devices
    assert devices is not None
    return {
        "verdicts": query(
            f"SELECT * FROM '{desk.workspace.root}/runs/{found.id:05d}/verdicts/*.parquet' ORDER BY ALL"
        ),
        "devices": query(f"SELECT * FROM '{desk.workspace.path(devices.path)}/*.parquet' ORDER BY ALL"),
    }


def test_undone_observations_leave_the_lake_and_every_later_verdict(tmp_path: Path) -> None:
    first, second = Desk.at(tmp_path / "with"), Desk.at(tmp_path / "without")
    good, wrong = observed("operator1", 5, 1, 2), observed("operator2", 7, 2, 3, imsi=9)
    text, name = wrong
    wrong = (text + "20261007,NOTANIMEI,,,\n20261007,ABC,,,\n", name)
    for desk in (first, second):
        desk.take("stolen", "imei,reporting_date,status\n35675904000003,,\n")
    taken = take(first, good, wrong)
    take(second, good)
    with_wrong = run(first, "engine-1")
    gone = {p for kind in taken[1].files.values() for p in kind}
    first.undo(taken[1])
    assert not gone & lake(first)
    assert not any("operator=operator2" in path for path in lake(first))
    again, never = run(first, "engine-2"), run(second, "engine-3")
    assert again == never
    assert with_wrong != never


def test_undone_sightings_leave_the_lake(desk: Desk) -> None:
    text = (
        "imei,imsi,cell,started_at,ended_at\n"
        "35675904000001,111010000000001,A,2026-10-05T08:00:00Z,2026-10-05T08:05:00Z\n?,,,,\n"
    )
    taken = desk.take("sightings", text, name="operator1_20261001_20261031.csv")
    assert len(lake(desk)) == 3
    desk.undo(taken)
    assert lake(desk) == set()
