"""Barred ranges and software versions: what a row of them must say."""

from datetime import date

import pytest

from ceir.clock import day_number
from ceir.pipeline.ingest.checking import ChecksFailedError

from .conftest import Desk

RANGES, RANGES_DELTA = "first_imei,last_imei\n", "first_imei,last_imei,change_type\n"
VERSIONS = "imei,software_version,status\n"
VERSIONS_DELTA = "imei,software_version,status,change_type\n"
MONDAY, TUESDAY = date(2026, 10, 5), date(2026, 10, 6)
MON, TUE = day_number(MONDAY), day_number(TUESDAY)
A, B = 35675904000001, 35675904000002

WHOLE = "expected an identity of 14 digits, with up to two more characters"
ORDER = "expected an identity not before first_imei"
WIDTH = "expected the end of a range of at most 1,000,000 identities"
VERSION = "expected a software version of two digits"
STATUS = "expected blocked or tracked or permitted"


def test_the_ends_of_a_range_are_the_first_14_digits_and_both_belong_to_it(desk: Desk) -> None:
    rows = [f"{A},{A}", f" {A}8 ,{B}99", "00000000000000,00000000999999", f"{A}F,{B}*#"]
    taken = desk.strictly("barred-ranges", RANGES + "\n".join(rows))
    assert (taken.counts.kept, taken.counts.folded) == (3, 1)
    assert desk.entries("barred-ranges", "first_imei, last_imei") == [(0, 999_999), (A, A), (A, B)]
    assert "malformed" not in taken.files


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (f",{B}", "first_imei", "must not be empty"),
        (f"{A},", "last_imei", "must not be empty"),
        (f"{str(A)[:13]},{B}", "first_imei", WHOLE),
        (f"{A},3567590400000A", "last_imei", WHOLE),
        (f"{A},{B}999", "last_imei", WHOLE),
        (f"{A},x", "last_imei", WHOLE),
        (f"{B},{A}", "last_imei", ORDER),
        (f"{B}1,{A}9", "last_imei", ORDER),
        (f"{A},{A + 1_000_000}", "last_imei", WIDTH),
        ("00000000000000,99999999999999", "last_imei", WIDTH),
        (f"{A},{B},", "(line)", "expected 2 values"),
    ],
)
def test_a_row_that_is_no_range_is_set_apart_with_its_reason(
    desk: Desk, row: str, column: str, reason: str
) -> None:
    taken = desk.take("barred-ranges", RANGES + f"{A},{A + 999_999}\n{row}\n")
    assert [q[1:] for q in desk.quarantined(taken)] == [(3, column, reason, row)]
    assert desk.entries("barred-ranges", "first_imei, last_imei") == [(A, A + 999_999)]


def test_too_many_rows_that_are_no_ranges_refuse_the_file_and_say_where_they_stand(desk: Desk) -> None:
    with desk.unchanged(), pytest.raises(ChecksFailedError) as caught:
        desk.strictly("barred-ranges", RANGES + f"{A},{B}\n{B},{A}\n")
    assert f"Line 3, last_imei: {ORDER}." in caught.value.detail


def test_ranges_that_overlap_are_entries_of_their_own_and_a_delta_names_both_ends(desk: Desk) -> None:
    desk.strictly("barred-ranges", RANGES + f"{A},{B}\n{A},{A}\n{A},{B}\n")
    text = RANGES_DELTA + f"{A},{B},remove\n{B},{B},add\n{B},{A},add\n"
    taken = desk.take("barred-ranges", text, on=TUESDAY, delta=True)
    assert [(q.line, q.reason) for q in desk.quarantined(taken)] == [(4, ORDER)]
    assert desk.entries("barred-ranges", "first_imei, last_imei") == [(A, A), (B, B)]
    desk.undo(taken)
    assert desk.entries("barred-ranges", "first_imei, last_imei") == [(A, A), (A, B)]


def test_versions_are_kept_by_identity_and_version(desk: Desk) -> None:
    rows = [f"{A},00,blocked", f"{A}1,99,Permitted", f"{B}, 07 ,TRACKED", f"{B},07,tracked"]
    taken = desk.strictly("software-versions", VERSIONS + "\n".join(rows))
    assert taken.counts.folded == 1
    assert desk.entries("software-versions", "imei, software_version, status") == [
        (A, 0, "blocked"),
        (A, 99, "permitted"),
        (B, 7, "tracked"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",01,blocked", "imei", "must not be empty"),
        ("ABC,01,blocked", "imei", WHOLE),
        (f"{A},,blocked", "software_version", "must not be empty"),
        (f"{A},1,blocked", "software_version", VERSION),
        (f"{A},100,blocked", "software_version", VERSION),
        (f"{A},-1,blocked", "software_version", VERSION),
        (f"{A},0A,blocked", "software_version", VERSION),
        (f"{A},01,", "status", "must not be empty"),
        (f"{A},01,blacklist", "status", STATUS),
    ],
)
def test_a_row_that_is_no_version_is_set_apart_with_its_reason(
    desk: Desk, row: str, column: str, reason: str
) -> None:
    taken = desk.take("software-versions", VERSIONS + f"{row}\n{B},01,blocked\n")
    assert [q[1:] for q in desk.quarantined(taken)] == [(2, column, reason, row)]
    assert desk.entries("software-versions", "imei") == [(B,)]


def test_a_version_that_says_two_things_refuses_the_file_or_counts_for_nothing(desk: Desk) -> None:
    text = VERSIONS + f"{A},01,blocked\n{B},01,blocked\n{A},01,tracked\n{A},02,tracked\n"
    with desk.unchanged(), pytest.raises(ChecksFailedError, match="conflicting_keys is 1"):
        desk.strictly("software-versions", text)
    taken = desk.take("software-versions", text)
    apart = [(q.line, q.column, q.reason) for q in desk.quarantined(taken)]
    key = "imei, software_version"
    assert apart == [(line, key, "contradicts another row of the same key") for line in (2, 4)]
    assert desk.entries("software-versions", key) == [(A, 2), (B, 1)]


def test_versions_have_a_history_like_every_list(desk: Desk) -> None:
    desk.take("software-versions", VERSIONS + f"{A},01,blocked\n{B},01,blocked\n", on=MONDAY)
    changes = VERSIONS_DELTA + f"{A},01,tracked,update\n{B},01,blocked,remove\n{B},02,permitted,add\n"
    taken = desk.take("software-versions", changes, on=TUESDAY, delta=True, accepted={})
    columns = "imei, software_version, status, since"
    assert desk.entries("software-versions", columns) == [(A, 1, "tracked", TUE), (B, 2, "permitted", TUE)]
    desk.undo(taken)
    assert desk.entries("software-versions", columns) == [(A, 1, "blocked", MON), (B, 1, "blocked", MON)]
