"""A file that is not what its source promises is refused with a reason, and leaves no trace."""

import gzip
import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from ceir.errors import UsageError
from ceir.pipeline.engines.engine import EngineError
from ceir.pipeline.ingest import Delivery, take_in
from ceir.pipeline.ingest.checking import ChecksFailedError
from ceir.pipeline.ingest.opening import LONGEST_LINE, FileRefusedError
from ceir.pipeline.ingest.taking import RowsLostError
from ceir.pipeline.progress import SILENT, Step

from .conftest import OBSERVED, OCTOBER, TODAY, Desk

ROW = "20261005,35675904000001,111010000000001,220000000001,002\n"


def refused(
    desk: Desk, content: str | bytes, *, source: str = "observations", name: str | None = None
) -> str:
    """Why a file is refused; whatever the reason, the workspace stays as it was."""
    desk.take("barred", "imei\n35675904000007\n")
    with desk.unchanged(), pytest.raises(FileRefusedError) as caught:
        desk.take(source, content, name=name)
    assert caught.value.hint
    return caught.value.detail


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("date,imei,imsi,rat", "lacks the columns msisdn"),
        ("date,imei", "lacks the columns imsi, msisdn"),
        ("date,imei,imsi,msisdn,rat,cell,colour", "does not know: cell, colour"),
        ("date,imei,imsi,msisdn,imei", "has the column imei twice"),
        ("20261005,35675904000001,111010000000001,220000000001,002", "lacks the columns date, imei"),
        ("", "lacks the columns"),
        ("date imei imsi msisdn", "lacks the columns"),
        ("x" * 200_000, "lacks the columns"),
    ],
    ids=[
        "a missing column",
        "several",
        "unknown columns",
        "twice",
        "no header",
        "blank",
        "spaces",
        "endless",
    ],
)
def test_a_header_must_name_the_columns_of_the_source(desk: Desk, header: str, reason: str) -> None:
    assert reason in refused(desk, f"{header}\n{ROW}")


def test_a_column_may_not_come_under_two_of_its_names(desk: Desk) -> None:
    text = "approved_imei,imei,make,model,status,device_id\n35675904000001,35675904000001,,,,A1\n"
    assert "approved_imei under two names" in refused(desk, text, source="registrations")


def test_a_kept_column_may_not_come_twice_either(desk: Desk) -> None:
    text = "TAC|Manufacturer|Model Name|Bands|Allocation Date|Device Type|NFC|nfc\n35675904||||||1|2\n"
    assert "nfc twice" in refused(desk, text, source="tac")


def test_a_delta_that_is_not_announced_is_told_apart_from_a_wrong_header(desk: Desk) -> None:
    text = "imei,change_type\n35675904000001,add\n"
    with desk.unchanged(), pytest.raises(FileRefusedError, match="change_type"):
        desk.take("barred", text)
    with desk.unchanged(), pytest.raises(FileRefusedError, match="lacks the columns change_type"):
        desk.take("barred", "imei\n35675904000001\n", delta=True)


@pytest.mark.parametrize(
    "content", ["", gzip.compress(b""), zstandard.compress(b"")], ids=["plain", "gz", "zst"]
)
def test_an_empty_file_is_refused(desk: Desk, content: str | bytes) -> None:
    suffix = {"": "", b"\x1f\x8b": ".gz", b"\x28\xb5": ".zst"}[content[:2]]
    assert "is empty: it has not even a header" in refused(desk, content, name=OCTOBER + suffix)


def test_a_file_with_nothing_but_a_byte_order_mark_has_no_header(desk: Desk) -> None:
    assert "lacks the columns" in refused(desk, "\ufeff")


@pytest.mark.parametrize("lines_before", [0, 3, 60_000], ids=["first row", "fourth row", "beyond a block"])
def test_a_file_that_is_not_utf_8_is_refused_with_the_line(desk: Desk, lines_before: int) -> None:
    text = "imei,consignment,released_on\n" + "35675904000001,C-1é,20260101\n" * lines_before
    bad = text.encode() + "35675904000002,Zürich,\n".encode("latin-1")
    reason = refused(desk, bad, source="imports")
    assert f"is not UTF-8: line {lines_before + 2} has the byte 0xfc" in reason


def test_a_file_cut_within_a_character_is_refused(desk: Desk) -> None:
    assert "not UTF-8: line 2" in refused(
        desk, "imei,consignment,released_on\n1,é".encode()[:-1], source="imports"
    )


def test_utf_16_is_refused(desk: Desk) -> None:
    assert "is not UTF-8: line 1 has the byte 0xff" in refused(desk, (OBSERVED + ROW).encode("utf-16"))


@pytest.mark.parametrize("byte", [0x00, 0x07, 0x0B, 0x0C, 0x1A, 0x1B, 0x1F, 0x7F], ids=hex)
def test_control_characters_are_refused_with_the_line(desk: Desk, byte: int) -> None:
    content = (OBSERVED + ROW).encode() + bytes([byte])
    assert f"control characters: line 3 has the byte 0x{byte:02x}" in refused(desk, content)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("imei\r35675904000001\r", 1),
        ("imei\n35675904000001\r35675904000002\n", 2),
        ("imei\n35675904000001\r\r\n", 2),
        ("imei\r\n35675904000001\r", 2),
    ],
    ids=["as on old Macs", "one among many", "doubled", "at the end"],
)
def test_a_lone_carriage_return_is_refused_with_the_line(desk: Desk, text: str, line: int) -> None:
    reason = refused(desk, text, source="barred")
    assert f"a carriage return without a line feed on line {line}" in reason


def test_a_line_longer_than_a_mebibyte_is_refused_and_one_of_that_length_is_only_set_apart(
    desk: Desk,
) -> None:
    fits = "imei\n" + "3" * LONGEST_LINE + "\n35675904000001\n"
    assert [q.line for q in desk.quarantined(desk.take("barred", fits))] == [2]
    for before in ("", "35675904000001\n" * 50_000):
        too_long = f"imei\n{before}{'3' * (LONGEST_LINE + 1)}\n35675904000001\n"
        assert "a line of more than 1,048,576 bytes" in refused(desk, too_long, source="barred")
    assert "a line of more than" in refused(desk, "imei\n" + "3" * 3 * LONGEST_LINE, source="barred")


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(b ^ 0xFF for b in content[middle : middle + 4]) + content[middle + 4 :]


def zip_of(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


MANY = (OBSERVED + "".join(f"20261005,356759040{n:05d},,,\n" for n in range(5000))).encode()
PACKED: dict[str, tuple[str, bytes]] = {
    "gz cut off": (f"{OCTOBER}.gz", gzip.compress(MANY)[:-100]),
    "gz damaged": (f"{OCTOBER}.gz", damaged(gzip.compress(MANY))),
    "gz that is none": (f"{OCTOBER}.gz", MANY),
    "gz with a tail": (f"{OCTOBER}.gz", gzip.compress(MANY) + b"tail"),
    "zst cut off": (f"{OCTOBER}.zst", zstandard.compress(MANY)[:-100]),
    "zst whose second part is cut off": (
        f"{OCTOBER}.zst",
        zstandard.compress(MANY) + zstandard.compress(MANY)[:-9],
    ),
    "zst damaged": (f"{OCTOBER}.zst", damaged(zstandard.ZstdCompressor(write_checksum=True).compress(MANY))),
    "zst that is none": (f"{OCTOBER}.zst", MANY),
    "zip cut off": ("operator1.zip", zip_of((OCTOBER, MANY))[:-100]),
    "zip damaged": ("operator1.zip", damaged(zip_of((OCTOBER, MANY)))),
    "zip damaged, not deflated": (
        "operator1.zip",
        damaged(zip_of((OCTOBER, MANY), compression=zipfile.ZIP_STORED)),
    ),
    "zip that is none": ("operator1.zip", MANY),
    "zip of nothing": ("operator1.zip", zip_of()),
    "zip of two": ("operator1.zip", zip_of((OCTOBER, MANY), ("readme.txt", b"hello"))),
}


@pytest.mark.parametrize("packing", PACKED)
def test_a_damaged_packing_is_refused(desk: Desk, packing: str) -> None:
    name, content = PACKED[packing]
    name = name.replace("operator1.zip", "operator1_october.zip")
    reason = refused(desk, content, name=name)
    assert ("holds" if packing.endswith(("nothing", "two")) else "cannot be") in reason


def test_a_zip_with_a_password_is_refused(desk: Desk) -> None:
    content = bytearray(zip_of((OCTOBER, MANY)))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1  # the flag of an encrypted member
    assert "cannot be" in refused(desk, bytes(content), name="operator1_october.zip")


def lock_away(path: Path) -> None:
    path.chmod(0)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil", [Path.unlink, make_folder, lock_away], ids=["missing", "a folder", "not ours"]
)
@pytest.mark.parametrize("suffix", ["", ".gz", ".zip", ".zst"])
def test_a_file_that_cannot_be_read_is_refused(
    desk: Desk, spoil: Callable[[Path], None], suffix: str
) -> None:
    if spoil is lock_away and os.geteuid() == 0:
        pytest.skip("root may read every file")
    path = desk.put("imei\n35675904000001\n", f"barred.csv{suffix}")
    spoil(path)
    with desk.unchanged(), pytest.raises(FileRefusedError, match="cannot be read"):
        desk.take("barred", path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that fails when it is read")
def test_a_file_that_fails_while_it_is_read_is_refused(desk: Desk) -> None:
    path = desk.inbox / "barred.csv"
    path.symlink_to("/proc/self/mem")
    with desk.unchanged(), pytest.raises(FileRefusedError, match="cannot be read: Input/output error"):
        desk.take("barred", path)


def test_a_refused_file_does_not_touch_what_was_there(desk: Desk) -> None:
    desk.take("stolen", "imei,reporting_date,status\n35675904000001,,\n")
    desk.take("observations", OBSERVED + ROW)
    with desk.unchanged(), pytest.raises(ChecksFailedError):
        desk.strictly("stolen", "imei,reporting_date,status\n35675904000009,bad,\n")
    with desk.unchanged(), pytest.raises(ChecksFailedError):
        desk.strictly("observations", OBSERVED + ROW + "x,,,,\n")


@pytest.mark.parametrize(
    ("source", "operator", "delta", "name", "reason"),
    [
        ("nothing", None, False, "nothing.csv", "no source 'nothing'"),
        ("observations", None, False, "someone_20261001_20261031.csv", "needs the operator"),
        ("observations", "someone", False, OCTOBER, "no operator 'someone'"),
        ("barred", "operator1", False, "barred.csv", "does not belong to an operator"),
        ("observations", None, True, OCTOBER, "has no deltas"),
        ("tac", None, True, "tac.txt", "has no deltas"),
        ("sightings", None, True, OCTOBER, "has no deltas"),
    ],
)
def test_a_delivery_that_makes_no_sense_is_refused_before_it_is_read(
    desk: Desk, source: str, operator: str | None, delta: bool, name: str, reason: str
) -> None:
    with desk.unchanged(), pytest.raises(UsageError, match=reason):
        desk.take(source, desk.put("", name), operator=operator, delta=delta, accepted={})


def test_a_full_list_of_nothing_says_that_nobody_is_on_the_list(desk: Desk) -> None:
    taken = desk.strictly("barred", "imei\n")
    assert (taken.counts.read, taken.counts.stored) == (0, 0)
    assert desk.entries("barred") == []
    assert desk.workspace.catalogue().lists["barred"].rows == 0


def test_a_full_list_of_nothing_is_refused_where_there_was_a_list(desk: Desk) -> None:
    desk.strictly("barred", "imei\n35675904000001\n")
    with desk.unchanged(), pytest.raises(ChecksFailedError, match=r"kept_share is 0, limit 0\.75"):
        desk.strictly("barred", "imei\n\n")


def test_a_delta_of_nothing_says_that_nothing_changed(desk: Desk) -> None:
    desk.strictly("barred", "imei\n35675904000001\n")
    before = desk.entries("barred")
    taken = desk.take("barred", "imei,change_type\n", delta=True, accepted={})
    assert taken.counts.read == 0
    assert desk.entries("barred") == before


def test_observations_of_nothing_are_taken_while_nothing_is_known_better(desk: Desk) -> None:
    taken = desk.strictly("observations", OBSERVED)
    assert (taken.counts.read, taken.counts.stored, taken.months) == (0, 0, ())
    assert [c.check for c in taken.checks] == ["file_dates", "days_outside", "from_future"]
    assert desk.undo(taken).state == "undone"


def test_observations_of_nothing_are_refused_where_others_came_before(desk: Desk) -> None:
    desk.take("observations", OBSERVED + ROW, name="operator1_20261001_20261005.csv")
    with desk.unchanged(), pytest.raises(ChecksFailedError, match=r"daily_imeis is 0, limit 0\.9"):
        desk.strictly("observations", OBSERVED, name="operator1_20261006_20261031.csv")


def test_today_counts_as_the_last_day_that_a_file_may_speak_of(desk: Desk) -> None:
    name = f"operator1_20261001_{TODAY:%Y%m%d}.csv"
    assert desk.strictly("observations", OBSERVED + ROW, name=name).counts.kept == 1


@dataclass
class Meddling:
    """Shows no progress; does something when a step begins."""

    step_begun: str
    meddle: Callable[[], object]

    @contextmanager
    def step(self, label: str, total: float | None = None, unit: str = "rows") -> Iterator[Step]:
        if label.startswith(self.step_begun):
            self.meddle()
        with SILENT.step(label, total, unit) as step:
            yield step


def test_a_file_that_grows_while_it_is_read_is_refused(desk: Desk) -> None:
    path = desk.put("imei\n35675904000001\n", "barred.csv")

    def grow() -> None:
        with path.open("a") as file:
            file.write("35675904000002\n")

    with desk.unchanged(), pytest.raises(RowsLostError, match="of 2 lines") as caught:
        take_in(
            desk.workspace, Delivery("barred", path, TODAY), desk.limits, Meddling("Reading barred.csv", grow)
        )
    assert "still being written" in caught.value.hint


def test_a_file_that_vanishes_while_it_is_read_is_refused(desk: Desk) -> None:
    path = desk.put("imei\n35675904000001\n", "barred.csv")
    with desk.unchanged(), pytest.raises(EngineError):
        take_in(
            desk.workspace,
            Delivery("barred", path, TODAY),
            desk.limits,
            Meddling("Reading barred.csv", path.unlink),
        )
