"""Every row of a file is kept, folded into a kept one, or set apart: nothing is lost, nothing is made up."""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ceir.clock import day_number
from ceir.identifiers.rat import TECHNOLOGIES

from .conftest import OBSERVED, Desk

COLUMNS = ("date", "imei", "imsi", "msisdn", "rat")
BITS = {t.code: 1 << t.bit for t in TECHNOLOGIES}

DAYS = st.sampled_from(
    ["20261001", "20261031", "20261102", "2026-10-05", "20240229", "20261005"] * 3
    + [
        "",
        "20261301",
        "20260229",
        "2026105",
        "2026-10-5",
        "19691231",
        "202610051",
        "0x261005",
        "x",
        "infinity",
    ]
)
IMEIS = st.sampled_from(
    ["35675904000001", "356759040000018", "3567590400000100", "00000000000000", "99999999999999", ""] * 3
    + ["35675904000001FF", "ABC", "abc", "*#06#", "3567590400000", "1", "1E5"]
    + ["GHI", "35675904000001000", "3567590 4000001", "-1", "35675904000001.", "３5675904000001"]
)
NUMBERS = st.sampled_from(
    ["111010000000001", "011010000000001", "11101000000001", "0", "", "7"] * 3
    + ["1110100000000010", "1e5", "+1", "-1", "1.0", "1_0", "0x1", "12 3", "１", "abc", "'"]
)
RATS = st.sampled_from(
    ["006", "002|006", "010", "", "006|002|010|104", "006|006"] * 3
    + ["6", "999", "006|", "|006", "006||002", "006,", "002 |006", "0060", "006|02", "006x002", "006+002"]
)
BLANKS = st.sampled_from(["", "", "", " ", "\t", "  "])
CELLS = st.tuples(DAYS, IMEIS, NUMBERS, NUMBERS, RATS)
BROKEN = ['"', 'a"b', '20261005,"35675904000001,1,2,006', "20261005", "1,2,3,4,5,6", ",", '"a"b,,,,', "x,y,z"]


@dataclass(frozen=True)
class Line:
    """A line and the cells that stand on it: None if they cannot be told apart, empty if there are none."""

    text: str
    cells: tuple[str, ...] | None


@st.composite
def rows(draw: st.DrawFn) -> Line:
    cells = draw(CELLS)
    written = []
    for cell in cells:
        padded = draw(BLANKS) + cell + draw(BLANKS)
        quoted = "," in padded or (draw(st.booleans()) and draw(st.booleans()))
        written.append(f'"{padded}"' if quoted else padded)
    return Line(",".join(written), cells)


LINES = st.one_of(
    rows(), rows(), rows(), st.sampled_from(BROKEN).map(lambda t: Line(t, None)), st.just(Line("", ()))
)


def fault(cells: Sequence[str]) -> str | None:
    """The first column that cannot be read; None: all can."""
    day, imei, imsi, msisdn, rat = cells
    if day_of(day) is None:
        return "date"
    if not re.fullmatch(r"[0-9A-Fa-f*#]{0,16}", imei):
        return "imei"
    for name, value in (("imsi", imsi), ("msisdn", msisdn)):
        if not re.fullmatch(r"[0-9]{0,15}", value):
            return name
    if rat and not all(code in BITS for code in rat.split("|")):
        return "rat"
    return None


def day_of(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    digits = text.replace("-", "")
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return day if day.year >= 1970 else None


def identity(text: str) -> str | int | None:
    if re.match("[0-9]{14}", text):
        return int(text[:14])
    return text.upper() or None


def number(text: str) -> int | None:
    return int("1" + text) if text else None


Key = tuple[int, str | int | None, int | None, int | None]


@dataclass
class Expected:
    kept: set[tuple[object, ...]]
    readable: int
    apart: list[tuple[int, str]]
    compacted: dict[Key, tuple[int, int, int, int]]


def expected(lines: Sequence[Line]) -> Expected:
    """What must become of the lines, row by row."""
    found = Expected(set(), 0, [], {})
    for place, line in enumerate(lines, 2):
        if line.cells == ():
            continue
        bad = "(line)" if line.cells is None else fault(line.cells)
        if line.cells is None or bad:
            found.apart.append((place, str(bad)))
            continue
        day = day_of(line.cells[0])
        assert day is not None
        key: Key = (
            day.year * 100 + day.month,
            identity(line.cells[1]),
            number(line.cells[2]),
            number(line.cells[3]),
        )
        rats = sum({BITS[code] for code in line.cells[4].split("|") if code})
        first, last, mask, seen = found.compacted.get(key, (10**6, 0, 0, 0))
        found.compacted[key] = (
            min(first, day_number(day)),
            max(last, day_number(day)),
            mask | 1 << (day.day - 1),
            seen | rats,
        )
        found.kept.add((day, *key))
        found.readable += 1
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, max_size=40), st.lists(st.sampled_from(["\n", "\r\n"]), min_size=41, max_size=41))
@example([], ["\n"] * 41)
@example([Line("", ())] * 3 + [Line("x", None), Line("", ())], ["\r\n"] * 41)
def test_every_row_is_kept_folded_or_set_apart_and_compacted_as_a_plain_loop_would(
    lines: list[Line], ends: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk.at(Path(folder))
        text = OBSERVED + "".join(line.text + end for line, end in zip(lines, ends, strict=False))
        taken = desk.take("observations", text)
        want = expected(lines)
        counts = taken.counts
        assert counts.read == counts.kept + counts.folded + counts.quarantined
        assert (counts.kept, counts.folded, counts.quarantined, counts.stored) == (
            len(want.kept),
            want.readable - len(want.kept),
            len(want.apart),
            len(want.compacted),
        )
        apart = desk.quarantined(taken)
        assert [(q.line, q.column) for q in apart] == want.apart
        assert [q.text for q in apart] == [lines[line - 2].text for line, _ in want.apart]
        assert all(q.reason.startswith(("expected ", "must not be empty")) for q in apart)
        texts = {key: name for key, name, *_ in desk.malformed(taken)}
        assert sorted(texts.values()) == sorted({k[1] for k in want.compacted if isinstance(k[1], str)})
        stored = {
            (month, texts.get(imei, imei), imsi, msisdn): tuple(rest)
            for month, operator, imei, imsi, msisdn, *rest in desk.rows(taken)
            if operator == "operator1"
        }
        assert stored == want.compacted


def test_a_row_set_apart_names_its_file_line_column_reason_and_text(desk: Desk) -> None:
    text = OBSERVED + (
        "\n20261005,35675904000001,111010000000001,220000000001,002\r\n\n"
        ",35675904000001,111010000000001,220000000001,\n"
        "20261005,NOPE,111010000000001,220000000001,\n"
        '20261005,35675904000001,111010000000001,"22,0",\n'
        "20261005,35675904000001,111010000000001\n"
    )
    taken = desk.take("observations", text)
    assert [q[1:] for q in desk.quarantined(taken)] == [
        (5, "date", "must not be empty", ",35675904000001,111010000000001,220000000001,"),
        (
            6,
            "imei",
            "expected 1 to 16 of the characters 0-9 A-F * #",
            "20261005,NOPE,111010000000001,220000000001,",
        ),
        (7, "msisdn", "expected 1 to 15 digits", '20261005,35675904000001,111010000000001,"22,0",'),
        (8, "(line)", "expected 5 values", "20261005,35675904000001,111010000000001"),
    ]
    assert {q.file for q in desk.quarantined(taken)} == {"operator1_20261001_20261031.csv"}


def test_a_file_without_a_bad_row_has_no_quarantine(desk: Desk) -> None:
    taken = desk.take("barred", "imei\n35675904000001\n")
    assert taken.files.keys() == {"data"}


def test_rows_that_say_the_same_in_other_words_fold(desk: Desk) -> None:
    text = (
        OBSERVED
        + "20261005,35675904000001,111010000000001,220000000001,002\n"
        + "2026-10-05,356759040000018,111010000000001,220000000001,006\n"
        + "20261005,35675904000001,111010000000001,220000000001,\n"
    )
    taken = desk.take("observations", text)
    assert (taken.counts.read, taken.counts.kept, taken.counts.folded) == (3, 1, 2)
    assert desk.rows(taken, "rats") == [(2 | 32,)]
