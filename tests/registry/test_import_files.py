"""Files of IMEIs: what is read of them, and that hostile ones are refused with a line and a hint."""

import gzip
import io
import itertools
import random
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imports_world import TAC, Made, imei, importer, importing, listed, some, submitted
from people import NOW

from ceir.identifiers import Imei, InvalidIdentifierError, is_placeholder
from ceir.registry.audit.models import Entry
from ceir.registry.imports import sealed_lists
from ceir.registry.imports.imei_files import Batch, ImeiFile, ImportFileRefusedError, Limits
from ceir.registry.imports.models import ConsignedTac, Consignment
from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.receiving import Declaration, submit
from ceir.registry.imports.reporting import report

SMALL = Limits(rows=1000, octets=100_000, line=200, rejected=50, tacs=5, batch=10)
A, B, C = imei(1), imei(2), imei(3)


def read(octets: bytes, limits: Limits = SMALL) -> tuple[dict[int, int], list[tuple[int, str, str]]]:
    lines: dict[int, int] = {}
    rejected: list[tuple[int, str, str]] = []
    for batch in ImeiFile(io.BytesIO(octets), limits).batches():
        lines |= batch.lines
        rejected += [(row.line, row.reason.value, row.text) for row in batch.rejected]
    return lines, rejected


@pytest.mark.parametrize(
    "text",
    [
        "{a}\n{b}\n",
        "{a}\n{b}",
        "imei\n{a}\n{b}\n",
        "IMEI\r\n{a}\r\n{b}\r\n",
        '"IMEI"\n"{a}"\n"{b}"\n',
        "\ufeffimei\n{a}\n{b}\n",
        "\ufeff{a}\n{b}\n",
        "  {a} \n\n\t{b}\n\n",
        "IMEI 1,IMEI_2\n{a},{b}\n",
        "imei1;imei2\n{a};{b}\n",
        "imei1\timei2\n{a}\t\n\t{b}\n",
        'imei1,imei2\n"{a}","{b}"\n',
        "imei1|imei2|imei3|imei4\n{a}|||{b}\n",
    ],
)
def test_lists_are_read_as_people_save_them(text: str) -> None:
    lines, rejected = read(text.format(a=A.printed, b=B.printed).encode())
    assert (set(lines), rejected) == ({A.number, B.number}, [])


def test_each_row_has_the_line_of_the_file() -> None:
    lines, rejected = read(f"imei\n\n{A.printed}\nx\n\n{B.printed}\r\n{B.printed}".encode())
    assert lines == {A.number: 3, B.number: 6}
    assert rejected == [(4, "not_an_imei", "x"), (7, "twice", B.printed)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("=1+1", "not_an_imei"),
        ('=HYPERLINK("http://example.org/?"&A1,"x")', "not_an_imei"),
        ("=cmd|' /C calc'!A0", "not_an_imei"),
        ("+35675904000001", "not_an_imei"),
        ("-35675904000001", "not_an_imei"),
        ("@SUM(1+1)", "not_an_imei"),
        ('="356759040000014"', "not_an_imei"),
        ("'356759040000014", "not_an_imei"),
        ("3.5675904E+14", "not_an_imei"),
        ("356759040000014.0", "not_an_imei"),
        ("356759040000014,356759040000022", "not_an_imei"),
        ("356759040000014 356759040000022", "not_an_imei"),
        ("3567590400000140", "not_an_imei"),
        ("35675904000001400", "not_an_imei"),
        ("35675904-000001-4", "not_an_imei"),
        ("٣٥٦٧٥٩٠٤٠٠٠٠٠١٤", "not_an_imei"),
        ("３５６７５９０４００００００１４", "not_an_imei"),
        ("<script>alert(1)</script>", "not_an_imei"),
        ("'; DROP TABLE imports_consignment; --", "not_an_imei"),
        ("../../etc/passwd", "not_an_imei"),
        ("1_000_000_000_00", "not_an_imei"),
        ("35675904000001", "no_check_digit"),
        ("356759040000015", "check_digit"),
        ("000000000000000", "placeholder"),
        ("123456789012347", "placeholder"),
        (Imei("00100100000001").printed, "test_tac"),
        (Imei("00440000000001").printed, "test_tac"),
    ],
)
def test_a_row_that_is_no_imei_to_take_is_rejected_with_its_line_and_a_reason(row: str, reason: str) -> None:
    lines, rejected = read(f"{A.printed}\n{row}\n{B.printed}\n".encode())
    assert lines == {A.number: 1, B.number: 3}
    assert rejected == [(2, reason, row[:40])]
    assert read(f"{row}\n{A.printed}\n".encode())[0] == {A.number: 2}


def test_rows_that_do_not_fit_the_header_are_rejected_whole() -> None:
    lines, rejected = read(
        f"imei1,imei2\n{A.printed}\n{A.printed},{B.printed},{C.printed}\n,\n{C.printed},x".encode()
    )
    assert set(lines) == {C.number}
    assert [(line, reason) for line, reason, _ in rejected] == [
        (2, "columns"), (3, "columns"), (4, "columns"), (5, "not_an_imei"),
    ]  # fmt: skip


def packed(name: str = "imeis.csv", octets: bytes = listed(some(3))) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, octets)
    return made.getvalue()


HOSTILE = {
    "empty": (b"", 1),
    "only line ends": (b"\n\r\n\n", 3),
    "only a header": (b"imei\n", 1),
    "only a mark": (b"\xef\xbb\xbf", 1),
    "a zip bomb": (packed(octets=bytes(50_000_000)), 1),
    "a zip that climbs out": (packed("../../../etc/cron.d/x"), 1),
    "an empty zip": (b"PK\x05\x06" + bytes(18), 1),
    "gzip": (gzip.compress(listed(some(3))), 1),
    "gzip of nothing, cut to its mark": (b"\x1f\x8b", 1),
    "bzip2": (b"BZh91AY&SY" + bytes(20), 1),
    "xz": (b"\xfd7zXZ\x00" + bytes(20), 1),
    "zstandard": (b"\x28\xb5\x2f\xfd" + bytes(20), 1),
    "7-zip": (b"7z\xbc\xaf\x27\x1c" + bytes(20), 1),
    "RAR": (b"Rar!\x1a\x07\x01\x00", 1),
    "an old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 1),
    "a paper": (b"%PDF-1.7\n", 1),
    "UTF-16": (listed(some(2)).decode().encode("utf-16"), 1),
    "UTF-16 without a mark": (listed(some(2)).decode().encode("utf-16-le"), 1),
    "UTF-16 the other way round": (b"\xfe\xff" + listed(some(2)).decode().encode("utf-16-be"), 1),
    "UTF-32": (listed(some(2)).decode().encode("utf-32"), 1),
    "Latin-1": (listed([A]) + "Käufer\n".encode("latin-1"), 2),
    "half a letter": (listed([A, B]) + b"\xe2\x82", 3),
    "letters in too many octets": (listed([A]) + b"\xc0\xaf\n", 2),
    "half a pair of UTF-16": (listed([A]) + b"\xed\xa0\x80\n", 2),
    "a NUL byte": (listed([A, B]) + b"3567\x00904\n", 3),
    "a NUL byte at the beginning": (b"\x00" + listed([A]), 1),
    "a NUL byte far behind": (listed(some(200)) + b"\x00", 201),
    "a long line": (listed([A]) + b"9" * 5000 + b"\n", 2),
    "a long line without end": (listed([A, B]) + b" " * 5000, 3),
    "old line ends": (listed(some(100)).replace(b"\n", b"\r"), 1),
    "columns that are not known": (b"imei,price\n", 1),
    "a column twice": (b"imei,IMEI\n", 1),
    "words": (b"hello\nworld\n", 1),
    "a page": (b"html\n<body>\n", 1),
    "too many rows": (b"\n".join(itertools.repeat(A.printed.encode(), 1001)), None),
    "too many octets": (b" \n" * 60_000, 1),
    "too many that are none": (b"".join(b"%d\n" % n for n in range(60)), None),
    "too many that are there already": (listed(some(20)) * 5, None),
    "too many models": (listed(imei(1, 35000000 + n) for n in range(6)), None),
    "nothing that can be taken": (b"1\n2\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_line_and_hint_and_nothing_of_it_stays(name: str) -> None:
    octets, line = HOSTILE[name]
    with pytest.raises(ImportFileRefusedError) as refused:
        submitted(octets, declared=10, limits=SMALL)
    assert refused.value.hint
    assert refused.value.line >= 1
    assert line in (None, refused.value.line)
    assert f"Line {refused.value.line}:" in refused.value.detail
    assert list(sealed_lists.all_rows()) == [[]]
    assert ConsignedTac.objects.count() == 0
    consignment = Consignment.objects.get()
    assert (consignment.state, consignment.rows, consignment.rejected) == ("unreadable", 0, {})
    entry = Entry.objects.get(action="import.unreadable")
    assert '"code":"import_file_refused"' in entry.detail
    again = submitted(listed([A, B]), limits=SMALL)
    assert (again.pk, again.state, again.rows) == (consignment.pk, "submitted", 2)


def test_a_claim_of_ten_gigabytes_is_read_no_further_than_the_limit() -> None:
    endless = Made(itertools.repeat(b" \n"))
    with pytest.raises(ImportFileRefusedError, match="More than 100,000 octets"):
        submitted(endless, declared=1, limits=SMALL)
    assert endless.given == SMALL.octets + 1
    endless = Made(itertools.repeat(b"9"))
    with pytest.raises(ImportFileRefusedError, match="Longer than 1000 octets"):
        submitted(endless, "C-2", declared=1, limits=Limits())
    assert endless.given <= 1 << 20


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 1000])
def test_however_small_the_pieces_are_that_come_the_list_is_the_same(size: int) -> None:
    class Pieces(io.BytesIO):
        def read(self, most: int | None = -1) -> bytes:
            return super().read(min(size, most or size))

    octets = b"\xef\xbb\xbfimei\r\n" + listed(some(30)).replace(b"\n", b"\r\n") + b"x\r\n"
    whole = read(octets)
    lines: dict[int, int] = {}
    rejected = []
    file = ImeiFile(Pieces(octets), SMALL)
    for batch in file.batches():
        lines |= batch.lines
        rejected += [(row.line, row.reason.value, row.text) for row in batch.rejected]
    assert (lines, rejected) == whole
    assert file.octets == len(octets)
    for bad in (b"PK\x03\x04aaaaaaaa", b"\xff\xfe1\x002\x00", b"1\x00", b"\x1f\x8b"):
        with pytest.raises(ImportFileRefusedError):
            list(ImeiFile(Pieces(bad), SMALL).batches())


@given(st.integers(0, 10**15 - 1))
def test_every_15_digits_are_judged_as_the_identifier_judges_them(number: int) -> None:
    printed = f"{number:015}"
    lines, rejected = read(printed.encode())
    try:
        expected = Imei.from_printed(printed)
    except InvalidIdentifierError:
        assert rejected == [(1, "check_digit", printed)]
        return
    if is_placeholder(expected) or expected.tac.is_test:
        assert not lines
    else:
        assert lines == {expected.number: 1}


@given(st.integers(0, 10**14 - 1))
def test_every_imei_as_a_label_prints_it_is_taken(number: int) -> None:
    one = Imei.from_number(number)
    lines, _ = read(one.printed.encode())
    assert bool(lines) is not (is_placeholder(one) or one.tac.is_test)


@given(st.binary(max_size=300))
def test_whatever_octets_come_they_are_read_or_refused(octets: bytes) -> None:
    try:
        lines, rejected = read(octets)
    except ImportFileRefusedError:
        return
    assert lines or rejected


def test_what_an_importer_is_told_names_line_reason_and_what_to_do_and_no_formula() -> None:
    rows = [A.printed, '=HYPERLINK("x")', B.printed, A.printed, "+1", "-1", "@a", "356759040000015", "\tx"]
    consignment = submitted("\n".join(rows).encode())
    assert (consignment.rows, sum(consignment.rejected.values())) == (2, 7)
    told = list(report(consignment.pk, actor=importing(), at=NOW))
    assert [(line, value, reason) for line, value, _, reason, _, _ in told] == [
        ("2", '\'=HYPERLINK("x")', "not_an_imei"),
        ("4", A.printed, "twice"),
        ("5", "'+1", "not_an_imei"),
        ("6", "'-1", "not_an_imei"),
        ("7", "'@a", "not_an_imei"),
        ("8", "356759040000015", "check_digit"),
        ("9", "x", "not_an_imei"),
    ]
    assert all(meaning.endswith(".") and do.endswith(".") for *_, meaning, do in told)


def test_rows_read_are_rows_taken_and_rows_rejected() -> None:
    choose = random.Random(7)
    rows = [choose.choice([imei(choose.randrange(300)).printed, "x", "35675904000001"]) for _ in range(900)]
    consignment = submitted(
        ("imei\n" + "\n".join(rows)).encode(), limits=Limits(rows=1000, rejected=1000, batch=37)
    )
    assert consignment.rows + sum(consignment.rejected.values()) == len(rows)
    good = [row for row in rows if len(row) == 15]
    assert consignment.rows == len(set(good))
    assert consignment.rejected["twice"] == len(good) - len(set(good))
    assert sum(t.rows for t in consignment.tacs.all()) == consignment.rows
    (page,) = sealed_lists.all_rows()
    assert [f"{number:014}" for number, _, _ in page] == sorted({row[:14] for row in good})
    first = {row: n for n, row in reversed(list(enumerate(rows, start=2)))}
    assert all(line == first[Imei(f"{number:014}").printed] for number, _, line in page)
    kept = list(sealed_lists.rejected_rows(consignment.pk))
    assert [row.line for row in kept] == sorted(row.line for row in kept)
    assert {row.reason for row in kept} == {Reason.TWICE, Reason.NOT_AN_IMEI, Reason.NO_CHECK_DIGIT}


def test_two_hundred_thousand_rows_take_no_more_memory_than_twenty_thousand() -> None:
    import tracemalloc

    peaks = []
    for number, count in (("small", 20_000), ("large", 200_000)):
        start = TAC * 10**6 + (10**6 if peaks else 0)
        lines = [f"{Imei.from_number(start + n).printed}\n".encode() for n in range(count)]
        said = Declaration(importer(), number, count, "Port Examplia")
        tracemalloc.start()
        made = submit(said, Made(iter(lines)), actor=importing(), at=NOW, limits=Limits(batch=5000))  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert made.rows == count
    assert peaks[1] < peaks[0] * 1.2 + 500_000 < 6_000_000, peaks


def test_a_batch_begins_empty() -> None:
    assert Batch() == Batch({}, [])
