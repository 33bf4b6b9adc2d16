"""The same content twice changes nothing, however packed; for a list only while nothing came between."""

import gzip
import io
import zipfile
from datetime import date

import zstandard

from .conftest import OBSERVED, OCTOBER, Desk

TEXT = OBSERVED + "20261005,35675904000001,111010000000001,220000000001,002\n"
FULL, OTHER = "imei\n35675904000001\n35675904000002\n", "imei\n35675904000001\n35675904000003\n"
CHANGES = "imei,change_type\n35675904000009,add\n"


def test_the_same_observations_again_give_the_first_record_and_change_nothing(desk: Desk) -> None:
    first = desk.strictly("observations", TEXT)
    with desk.unchanged():
        again = desk.take(
            "observations", TEXT, name="operator1_20261004_20261006.csv", on=date(2026, 12, 24), accepted={}
        )
    assert again == first


def test_packing_makes_no_other_file(desk: Desk) -> None:
    first = desk.strictly("observations", gzip.compress(TEXT.encode()), name=f"{OCTOBER}.gz")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(OCTOBER, TEXT)
    packed = {
        OCTOBER: TEXT.encode(),
        f"{OCTOBER}.zst": zstandard.compress(TEXT.encode()),
        "operator1_b.zip": buffer.getvalue(),
    }
    for name, content in packed.items():
        with desk.unchanged():
            assert desk.strictly("observations", content, name=name) == first


def test_the_same_rows_of_another_operator_are_another_file(desk: Desk) -> None:
    first = desk.take("observations", TEXT)
    second = desk.take("observations", TEXT, name="operator2_20261001_20261031.csv")
    assert (first.operator, second.operator) == ("operator1", "operator2")
    assert first.sha256 == second.sha256


def test_what_was_undone_can_be_taken_in_again(desk: Desk) -> None:
    first = desk.take("observations", TEXT)
    desk.undo(first)
    second = desk.take("observations", TEXT)
    assert second.id > first.id
    assert len(desk.rows(second)) == 1


def test_older_observations_are_recognised_after_newer_ones(desk: Desk) -> None:
    first = desk.take("observations", TEXT)
    desk.take("observations", TEXT + "20261006,,,,\n")
    with desk.unchanged():
        assert desk.take("observations", TEXT) == first


def test_the_same_list_again_gives_the_first_record(desk: Desk) -> None:
    first = desk.take("barred", FULL)
    with desk.unchanged():
        assert desk.take("barred", FULL, on=date(2027, 1, 1)) == first


def test_a_list_that_came_before_another_one_is_taken_again_after_it(desk: Desk) -> None:
    first = desk.take("barred", FULL)
    desk.take("barred", OTHER)
    again = desk.take("barred", FULL)
    assert again.id > first.id
    assert desk.entries("barred", "imei") == [(35675904000001,), (35675904000002,)]


def test_a_list_is_taken_again_after_changes_to_it(desk: Desk) -> None:
    first = desk.take("barred", FULL)
    desk.take("barred", CHANGES, delta=True)
    assert desk.take("barred", FULL).id > first.id
    assert desk.entries("barred", "imei") == [(35675904000001,), (35675904000002,)]


def test_the_same_changes_again_give_their_first_record(desk: Desk) -> None:
    desk.take("barred", FULL)
    first = desk.take("barred", CHANGES, delta=True, accepted={})
    with desk.unchanged():
        assert desk.take("barred", CHANGES, delta=True, accepted={}) == first


def test_a_file_that_was_refused_is_not_remembered(desk: Desk) -> None:
    bad = "imei\n35675904000001\n?\n"
    assert desk.take("barred", bad).id == 1
    desk.undo(desk.workspace.catalogue().ingests[0])
    assert desk.take("barred", bad).id == 2
