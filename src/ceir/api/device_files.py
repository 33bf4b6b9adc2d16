"""Files of devices to register: CSV, a device a row, read line by line and never further than the limits."""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from ceir.errors import CeirError
from ceir.registry.registrations.submitting import MOST_AT_ONCE

MOST_OCTETS = 20 * 1024 * 1024
_LONGEST_LINE = 1000
_IMEIS = ("imei1", "imei2", "imei3", "imei4")
_KNOWN = frozenset({"imei", *_IMEIS, "eid", "serial"})
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UTF8_MARK = b"\xef\xbb\xbf"

Row = tuple[tuple[str, ...], str, str]


class DeviceFileError(CeirError):
    """A file is no list of devices; nothing of it is taken."""

    code: ClassVar[str] = "device_file_refused"


def rows_of(source: BinaryIO) -> Iterator[Row]:
    """IMEIs, EID and serial number of each row, as they stand there: what they are is looked at by others.

    A cell that a spreadsheet would evaluate is a text like others here, and no identifier.

    Raises:
        DeviceFileError: not UTF-8, packed, too large, too long a line, or columns that are not known.
    """
    lines = csv.reader(_lines(source), strict=True)
    try:
        names = [name.strip().lower() for name in next(lines, [])]
        if not names or len(set(names)) != len(names) or not set(names) <= _KNOWN:
            raise DeviceFileError(
                "The first line does not name the columns, or names others.",
                "Columns are imei or imei1 to imei4, then eid and serial if there are any.",
            )
        if not {"imei", "imei1"} & set(names):
            raise DeviceFileError("There is no column of IMEIs.", "Name it imei, or imei1.")
        count = 0
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_AT_ONCE:
                raise DeviceFileError(f"More than {MOST_AT_ONCE} rows.", "Send several files.")
            if len(cells) != len(names):
                raise DeviceFileError(
                    f"Line {lines.line_num} has {len(cells)} cells, the first line {len(names)}.",
                    "Write a cell for each column, empty where there is nothing.",
                )
            yield _row(dict(zip(names, cells, strict=True)))
    except csv.Error as error:
        raise DeviceFileError(
            f"Line {lines.line_num} is no CSV.", "Save the list as CSV with commas."
        ) from error


def _row(cells: dict[str, str]) -> Row:
    imeis = tuple(cells[name] for name in ("imei", *_IMEIS) if cells.get(name, "").strip())
    return imeis, cells.get("eid", ""), cells.get("serial", "")


def _lines(source: BinaryIO) -> Iterator[str]:
    read = 0
    first = True
    while line := source.readline(_LONGEST_LINE + 1):
        read += len(line)
        if read > MOST_OCTETS:
            raise DeviceFileError(f"More than {MOST_OCTETS // 2**20} MB.", "Send several files.")
        if first:
            line, first = line.removeprefix(_UTF8_MARK), False
        if len(line) > _LONGEST_LINE:
            raise DeviceFileError(
                f"A line is longer than {_LONGEST_LINE} octets.", "Write a device a line; send no other file."
            )
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DeviceFileError(
                "The file is not UTF-8 text.", "Save it as CSV in UTF-8; send it unpacked."
            ) from error
        if _NOT_TEXT.search(text):
            raise DeviceFileError("The file holds control characters.", "Save it as CSV; send it unpacked.")
        yield text
