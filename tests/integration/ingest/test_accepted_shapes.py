import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest
import zstandard

from ceir.sources import Source, all_sources

from .conftest import OBSERVED, OCTOBER, Desk, query

ROW = "20261005,35675904000001,111010000000001,220000000001,002|006"
STORED = (202610, "operator1", 35675904000001, 1111010000000001, 1220000000001, 20731, 20731, 1 << 4, 2 | 32)
GSMA = (
    "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code|"
    "Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|"
    "Device Type\n"
)


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("source", all_sources().values(), ids=lambda s: s.name)
def test_every_source_accepts_its_own_example_without_a_complaint(desk: Desk, source: Source) -> None:
    name = "operator1_20260901_20260930.csv" if source.dated_name else f"{source.name}.csv"
    taken = desk.strictly(source.name, source.example, name=name)
    assert (taken.counts.read, taken.counts.kept, taken.counts.quarantined) == (1, 1, 0)


@pytest.mark.parametrize("separator", [",", "|", ";", "\t"])
def test_values_may_be_separated_by_comma_pipe_semicolon_or_tab(desk: Desk, separator: str) -> None:
    text = "imei,reporting_date,status\n35675904000001,20260105,blacklist\n".replace(",", separator)
    desk.strictly("stolen", text)
    assert desk.entries("stolen", "imei, reporting_date, status") == [(35675904000001, 20458, "blacklist")]


def test_a_pipe_separated_observation_cannot_hold_two_technologies_unless_quoted(desk: Desk) -> None:
    header, row = OBSERVED.replace(",", "|"), ROW.replace("|", "+").replace(",", "|")
    taken = desk.take("observations", header + row.replace("002+006", '"002|006"') + "\n" + row + "\n")
    assert desk.rows(taken) == [STORED]
    assert [q.line for q in desk.quarantined(taken)] == [3]


@pytest.mark.parametrize("packing", ["plain", "gz", "two-gz", "zip", "zst", "two-zst", "upper-case"])
def test_a_file_may_come_plain_or_packed(desk: Desk, packing: str) -> None:
    text = (OBSERVED + ROW + "\n").encode()
    head, tail = text[:30], text[30:]
    compressor = zstandard.ZstdCompressor()
    name, content = {
        "plain": (OCTOBER, text),
        "gz": (f"{OCTOBER}.gz", gzip.compress(text)),
        "two-gz": (f"{OCTOBER}.gz", gzip.compress(head) + gzip.compress(tail)),
        "zip": ("operator1_whatever.zip", zipped(f"folder/{OCTOBER}", text)),
        "zst": (f"{OCTOBER}.zst", compressor.compress(text)),
        "two-zst": (f"{OCTOBER}.zst", compressor.compress(head) + compressor.compress(tail)),
        "upper-case": (f"{OCTOBER.upper()}.GZ", gzip.compress(text)),
    }[packing]
    assert desk.rows(desk.strictly("observations", content, name=name)) == [STORED]


@pytest.mark.parametrize(
    "endings",
    [
        ("\n", "\n", "\n"),
        ("\r\n", "\r\n", "\r\n"),
        ("\n", "\r\n", "\n"),
        ("\r\n", "\n", "\r\n"),
        ("\n", "\n", ""),
    ],
    ids=["LF", "CR LF", "LF first, then mixed", "CR LF first, then mixed", "none at the end"],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no BOM", "BOM"])
def test_lines_may_end_in_lf_or_cr_lf_or_both_and_the_last_in_nothing(
    desk: Desk, endings: tuple[str, str, str], mark: str
) -> None:
    lines = ("date,imei,imsi,msisdn,rat", ROW, ROW.replace("20261005", "20261006"))
    text = mark + "".join(line + end for line, end in zip(lines, endings, strict=True))
    (row,) = desk.rows(desk.strictly("observations", text))
    assert row == (*STORED[:6], 20732, (1 << 4) | (1 << 5), 34)


def test_thousands_of_mixed_line_ends_and_blank_lines_keep_their_line_numbers(desk: Desk) -> None:
    ends = ["\n", "\r\n", "\n\n", "\r\n\n", "\n\r\n"]
    lines = [f"{'X' if n % 997 == 0 else ''}{10**13 + n}{ends[n % 5]}" for n in range(20_000)]
    text = "imei\n" + "".join(lines)
    taken = desk.take("barred", text)
    physical = text.replace("\r\n", "\n").split("\n")
    assert taken.counts.quarantined == 21
    for apart in desk.quarantined(taken):
        assert physical[apart.line - 1] == apart.text


def test_header_names_may_be_in_any_case_order_and_quotes(desk: Desk) -> None:
    text = '"RAT", Msisdn ,IMSI,"Imei",date\n' + ",".join(reversed(ROW.split(","))) + "\n"
    assert desk.rows(desk.strictly("observations", text)) == [STORED]


def test_a_file_of_observations_may_lack_the_technology(desk: Desk) -> None:
    text = "date,imei,imsi,msisdn\n20261005,35675904000001,111010000000001,220000000001\n"
    assert desk.rows(desk.strictly("observations", text)) == [(*STORED[:-1], 0)]


def test_quoted_values_may_hold_separators_and_doubled_quotes(desk: Desk) -> None:
    text = (
        "approved_imei,make,model,status,device_id\n"
        '"35675904000001","Oppo, Inc.","the ""N1""",whitelist,A1\n'
        '35675904000002,"""quoted""","",,"A2"\n'
        '35675904000003,",","""",,A3\n'
    )
    desk.strictly("registrations", text)
    assert desk.entries("registrations", "imei, make, model, status, device_id") == [
        (35675904000001, "Oppo, Inc.", 'the "N1"', "whitelist", "A1"),
        (35675904000002, '"quoted"', None, None, "A2"),
        (35675904000003, ",", '"', None, "A3"),
    ]


def test_a_row_whose_quotes_do_not_pair_up_is_set_apart(desk: Desk) -> None:
    text = (
        "approved_imei,make,model,status,device_id\n"
        '35675904000001,"Oppo,N1,,A1\n'
        '35675904000002,5" screen,N1,,A2\n'
        '35675904000003,"Oppo" Inc,N1,,A3\n'
        "35675904000004,Oppo,N1,,A4\n"
    )
    taken = desk.take("registrations", text)
    assert [(q.line, q.column) for q in desk.quarantined(taken)] == [
        (2, "(line)"),
        (3, "(line)"),
        (4, "(line)"),
    ]
    assert taken.counts.kept == 1


def test_blank_lines_count_for_nothing(desk: Desk) -> None:
    text = "imei\n\n35675904000001\n\r\n\n35675904000002\n\n\n"
    counts = desk.strictly("barred", text).counts
    assert (counts.read, counts.kept) == (2, 2)


def test_spaces_and_tabs_around_values_do_not_matter(desk: Desk) -> None:
    text = OBSERVED + " 20261005 ,\t35675904000001,111010000000001 , 220000000001\t, 002|006\n"
    assert desk.rows(desk.strictly("observations", text)) == [STORED]


def test_a_value_of_spaces_is_an_empty_value(desk: Desk) -> None:
    taken = desk.take("observations", OBSERVED + "20261005, ,\t,  ,\n")
    assert desk.rows(taken, "imei, imsi, msisdn, rats") == [(None, None, None, 0)]


def test_other_blanks_than_spaces_and_tabs_belong_to_the_value(desk: Desk) -> None:
    taken = desk.take("barred", "imei\n\u00a035675904000001\n35675904000002\n")
    assert [q.line for q in desk.quarantined(taken)] == [2]


def test_a_separator_at_the_end_of_every_line_is_an_empty_column_without_a_name(desk: Desk) -> None:
    taken = desk.take("barred", "imei,\n35675904000001,\n35675904000002,lost\n")
    assert desk.entries("barred", "imei") == [(35675904000001,)]
    (apart,) = desk.quarantined(taken)
    assert (apart.line, apart.reason) == (3, "column 2 has no name, expected nothing in it")


@pytest.mark.parametrize(
    "text", ["35675904000001", "356759040000010", "356759040000018", "3567590400000100", " 35675904000001ff"]
)
def test_sixteen_fifteen_and_fourteen_digits_are_the_same_equipment(desk: Desk, text: str) -> None:
    taken = desk.strictly("barred", f"imei\n35675904000001\n{text}\n")
    assert desk.entries("barred", "imei") == [(35675904000001,)]
    assert (taken.counts.kept, taken.counts.folded) == (1, 1)


def test_the_gsma_list_keeps_its_other_columns_as_json_and_loses_its_quotes(desk: Desk) -> None:
    row = (
        '35675904|Neo "1"|"X|1"|"Oppo"|LTE FDD BAND 3|05-Mar-2019|China|F|M|NONE|Oppo|N1|Android|Yes|Yes||'
        "Smartphone"
    )
    plain = row.replace('"X|1"', '"X1"')
    taken = desk.take("tac", GSMA + plain + "\n" + row + "\n")
    columns = "tac, manufacturer, model_name, bands, allocation_date, device_type, brand_name, marketing_name"
    assert desk.entries("tac", columns) == [
        (35675904, "Oppo", "N1", "LTE FDD BAND 3", 17960, "Smartphone", "Oppo", "Neo 1")
    ]
    ((extra,),) = desk.entries("tac", "extra")
    assert json.loads(str(extra)) == {
        "internal_model_name": "X1",
        "country_code": "China",
        "fixed_code": "F",
        "manufacturer_code": "M",
        "radio_interface": "NONE",
        "operating_system": "Android",
        "nfc": "Yes",
        "bluetooth": "Yes",
        "wlan": None,
    }
    assert [q.line for q in desk.quarantined(taken)] == [3]  # quotes do not enclose in this file


def test_a_column_name_with_an_apostrophe_is_kept_too(desk: Desk) -> None:
    text = (
        "TAC|Manufacturer|Model Name|Bands|Allocation Date|Device Type|Maker's Note\n35675904|A|B|||S|it's\n"
    )
    desk.strictly("tac", text)
    assert desk.entries("tac", "extra") == [('{"maker\'s_note":"it\'s"}',)]


@pytest.mark.parametrize("name", ["it's.csv", "a[1].csv", "a*.csv", "what?.csv", "ein süßer Name.csv"])
def test_a_file_may_have_any_name(desk: Desk, name: str) -> None:
    desk.put("imei\n35675904000009\n", "a1.csv")
    desk.put("imei\n35675904000009\n", "whats.csv")
    taken = desk.take("barred", "imei\n35675904000001\nX-Y\n", name=name)
    assert desk.entries("barred", "imei") == [(35675904000001,)]
    assert [q.file for q in desk.quarantined(taken)] == [name]


def test_a_workspace_may_lie_in_a_folder_of_any_name(tmp_path: Path) -> None:
    desk = Desk.at(tmp_path / "it's [ours]")
    first = desk.take("barred", "imei\n35675904000001\n")
    desk.take("barred", "imei,change_type\n35675904000002,add\n", delta=True)
    path = desk.workspace.path(desk.workspace.catalogue().lists["barred"].path)
    quoted = str(path).replace("'", "''")
    assert query(f"SELECT imei FROM '{quoted}' ORDER BY 1") == [(35675904000001,), (35675904000002,)]
    assert first.counts.kept == 1


def test_the_operator_is_the_longest_id_that_the_name_begins_with(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'name = "x"\n[country]\nname = "X"\ncountry_codes = ["22"]\n'
        '[[operators]]\nid = "north"\nname = "N"\nplmns = ["111-01"]\n'
        '[[operators]]\nid = "north_east"\nname = "NE"\nplmns = ["111-02"]\n'
        '[conditions.a]\nall = [{ rule = "stolen_local" }]\nreason = "r"\n'
    )
    desk = Desk.at(tmp_path / "desk", policy)
    rows = OBSERVED + ROW + "\n"
    assert desk.take("observations", rows, name="north_east_20261001_20261031.csv").operator == "north_east"
    assert desk.take("observations", rows, name="North_20261001_20261031.csv").operator == "north"
    named = desk.take("observations", rows, name="x_20261001_20261031.csv", operator="NORTH_EAST")
    assert named.operator == "north_east"
