"""What the oracle takes from a file and what it refuses."""

from datetime import date
from pathlib import Path

import pytest

from . import Inputs, UndefinedError, load
from .sketch import HEADERS, TAC_HEADER, Sketch, imsi, model
from .world import Calendar, generations_of_bands, normalised

A = "35000101234567"
ONE = imsi("11101", 1)


def test_normalisation_trims_cuts_and_upper_cases() -> None:
    assert normalised(" \t350001012345678\r ") == A
    assert normalised("  ") is None
    assert normalised("3500010123456a") == "3500010123456A"
    assert normalised("A5000101234567") == "A5000101234567"


def test_days_keep_their_order_whatever_order_they_are_met_in() -> None:
    calendar = Calendar()
    late, early = calendar.bit(date(2024, 3, 31)), calendar.bit(date(1999, 12, 31))
    assert calendar.bit(date(2024, 3, 31)) == late
    assert calendar.first(late | early) == date(1999, 12, 31)
    assert calendar.window(date(1999, 12, 31), date(2024, 3, 31)) == early
    assert calendar.window(date(2000, 1, 1), date(2024, 4, 1)) == late


def test_bands_are_non_cellular_only_when_they_say_so_and_else_unknown() -> None:
    assert (generations_of_bands("WLAN"), generations_of_bands(""), generations_of_bands(" ")) == (
        1,
        None,
        None,
    )
    assert generations_of_bands("Not Known") is None
    assert generations_of_bands("GSM,EDGE,HSPA,LTE,NR") == 2 | 4 | 8 | 16


@pytest.mark.parametrize(
    "line",
    [
        f"20240230,{A},{ONE},,",  # no such day
        f"2024-03-01,{A},{ONE},,",
        f",{A},{ONE},,",
        f"20240301,{A}123,{ONE},,",  # 17 characters
        f"20240301,35G,{ONE},,",
        f"20240301,{A},1234567890123456,,",  # 16 digits
        f"20240301,{A},11101A,,",
        f"20240301,{A},{ONE},+22123,",
        f"20240301,{A},{ONE},,999",
        f"20240301,{A},{ONE},,001|",
        f"20240301,{A},{ONE},",  # a column short
    ],
)
def test_an_invalid_observation_is_left_out_and_counted_each_time(draw: Sketch, line: str) -> None:
    world = draw(f"operator1: {line}", f"operator1: {line}", f"operator1: 20240301,12,{ONE},,001|010")
    assert list(world.seen) == ["12"]
    assert world.rejected == {"observations": 2}


def test_an_observation_without_imei_is_valid_and_nobodys(draw: Sketch) -> None:
    world = draw(f"operator1: 20240301,,{ONE},,", f"operator1: 20240301,  ,{ONE},,")
    assert (world.seen, world.rejected) == ({}, {})


def test_columns_go_by_name_whatever_their_case_and_rat_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"\ufeffIMSI,Date,MSISDN,Imei\r\n{ONE},20240301,,{A}\r\n\r\n", encoding="utf-8")
    world = load(Inputs([("operator1", path)]))
    assert list(world.seen[A].uses) == [(ONE, "", "operator1")]
    assert world.rejected == {}


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"date,imei,imsi\n20240301,{A},{ONE}\n", encoding="utf-8")
    with pytest.raises(UndefinedError):
        load(Inputs([("operator1", path)]))


def test_several_files_of_an_operator_add_up(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.csv", "b.csv")]
    for path, day in zip(paths, ("20240301", "20240302"), strict=True):
        path.write_text(f"date,imei,imsi,msisdn,rat\n{day},{A}1,{ONE},,006\n", encoding="utf-8")
    world = load(Inputs([("operator1", path) for path in paths]))
    assert world.seen[A].days.bit_count() == 2
    assert world.seen[A].generations == 8
    assert list(world.seen[A].uses) == [(ONE, "", "operator1")]


def test_a_tac_line_must_be_whole_and_agree_with_itself(draw: Sketch) -> None:
    lines = [
        model("35000101"),
        model("3500010"),
        model("35000102", day="31-Feb-2020"),
        model("35000103") + "|x",
    ]
    world = draw(tac=[*lines, model("35000104", day=""), model("35000101")])
    assert set(world.models or ()) == {"35000101", "35000104"}
    assert world.rejected == {"tac": 3}
    with pytest.raises(UndefinedError):
        draw(tac=[model("35000101"), model("35000101", "GSM")])


def test_quotes_in_a_tac_file_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text(f"{TAC_HEADER}\n{model('35000101', name=chr(34) + 'Maker/One')}\n", encoding="utf-8")
    assert (load(Inputs([], path)).models or {})["35000101"].manufacturer == "Maker"


@pytest.mark.parametrize(
    ("source", "good", "bad"),
    [
        ("stolen", f"{A},20240101,", ",20240101,"),
        ("stolen", f"{A},,", f"{A},20240132,"),
        ("registrations", f"{A},,,,,,,,", ",,,,,,,,"),
        ("pairings", f"{A},{ONE},", f"{A},,22123456789"),
        ("golden", A, "35G"),
        ("barred", A, ""),
        ("barred-tacs", "35000101", "350001"),
        ("barred-ranges", f"{A},{A}5", f"{A},35000101234566"),
        ("barred-ranges", "35000101000000,35000101999999", "35000101000000,35000102000000"),
        ("barred-ranges", "35000101999999,35000102999998", f"35000101,{A}"),
        ("barred-ranges", "00000000000000,00000000999999", f"{A},3500010123456F"),
        ("software-versions", f"{A},00,blocked", f"{A},0,blocked"),
        ("software-versions", f"{A}12,99,PERMITTED", f"{A},99,"),
        ("software-versions", f"{A},07,tracked", "35000101,07,tracked"),
        ("subscribers", f"u,{ONE}", f",{ONE}"),
        ("associations", f"u,{A}", "u,"),
        ("type-approvals", "35000101,,,,,,", "35000101,,,,,2024,"),
        ("imports", f"{A},,,,", f"{A},,,,soon"),
    ],
)
def test_an_invalid_row_of_a_list_is_left_out_and_counted(
    tmp_path: Path, source: str, good: str, bad: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"{HEADERS[source]}\n{good}\n{bad if bad else chr(34) * 2}\n", encoding="utf-8")
    assert load(Inputs([], None, {source: path})).rejected == {source: 1}


def test_a_software_version_must_agree_with_itself(draw: Sketch) -> None:
    world = draw(software_versions=[f"{A},01,blocked", f"{A}9,01,Blocked", f"{A},02,tracked"])
    assert world.software_versions == {(A, "01"): "blocked", (A, "02"): "tracked"}
    with pytest.raises(UndefinedError):
        draw(software_versions=[f"{A},01,blocked", f"{A},01,tracked"])


def test_a_list_nobody_knows_is_refused_and_an_absent_one_is_unknown() -> None:
    with pytest.raises(UndefinedError):
        load(Inputs([], None, {"grey": None}))
    assert load(Inputs([], None, {"stolen": None})).stolen is None
