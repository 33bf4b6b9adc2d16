"""Reading an importer's file of IMEIs line by line, in memory that does not grow with it.

Its name, the size that somebody claims and its declared type are never asked for. Nothing is unpacked and
nothing is evaluated: a formula is a row that is no IMEI.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import BinaryIO, ClassVar

from ceir.errors import CeirError
from ceir.identifiers import PLACEHOLDER_NUMBERS, TEST_TAC_PREFIXES, is_test_tac, luhn
from ceir.registry.imports.reasons import Reason

_CHUNK = 1 << 17
_KEPT_TEXT = 40
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_LONGEST_MARK = 8
_PACKED = (
    b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ",
    b"7z\xbc\xaf", b"Rar!", b"\x04\x22\x4d\x18", b"\xd0\xcf\x11\xe0", b"%PDF", b"MSCF", b"\x1f\x9d",
    b"\x1f\xa0",
)  # fmt: skip
"""How archives, packed files and files of office programs begin."""

_NAMES = frozenset({"imei", "imei1", "imei2", "imei3", "imei4"})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9 _-]*")
_SEPARATORS = (",", ";", "\t", "|")
_BLANK = " \t\r\v\f"
_PLACEHOLDERS = frozenset(PLACEHOLDER_NUMBERS)


class ImportFileRefusedError(CeirError):
    """A file is not a list of IMEIs; nothing of it is taken."""

    code: ClassVar[str] = "import_file_refused"

    def __init__(self, detail: str, hint: str, line: int) -> None:
        super().__init__(f"Line {line}: {detail}", hint)
        self.line = line


@dataclass(frozen=True)
class Limits:
    """How much is read of a file, whatever it claims to be.

    Args:
        rows: IMEIs, those rejected included.
        octets: of the file.
        line: octets of a line.
        rejected: rows; a file with more is no list of IMEIs.
        tacs: different ones; a consignment holds some models, not all there are.
        batch: rows that are held in memory at a time.
    """

    rows: int = 10_000_000
    octets: int = 1_000_000_000
    line: int = 1000
    rejected: int = 100_000
    tacs: int = 2000
    batch: int = 20_000


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is not taken."""

    line: int
    reason: Reason
    text: str


@dataclass
class Batch:
    """What some lines hold.

    Args:
        lines: line by IMEI (its 14 digits as a number).
    """

    lines: dict[int, int] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)


class ImeiFile:
    """A file being read; once through it, its fingerprint and size are known.

    Args:
        source: read once, forward only.
    """

    def __init__(self, source: BinaryIO, limits: Limits) -> None:
        self._source, self._limits = source, limits
        self._hash = hashlib.sha256()
        self._columns: tuple[int, ...] | None = None
        self._width, self._separator = 1, ","
        self._headed = False
        self.octets = 0
        self.rows = 0
        self.rejected = 0

    @property
    def sha256(self) -> str:
        """Fingerprint of what was read."""
        return self._hash.hexdigest()

    def drain(self) -> None:
        """Read to the end for the fingerprint only.

        Raises:
            ImportFileRefusedError: it is too large.
        """
        for _ in self._chunks():
            pass

    def batches(self) -> Iterator[Batch]:
        """Batch by batch; an IMEI that comes twice within one is rejected here, over several by the caller.

        Raises:
            ImportFileRefusedError: it is packed, not UTF-8, too large, too long a line, no list of IMEIs.
        """
        batch, line, begun_at = Batch(), 0, 0
        tables = _check_tables()
        for lines in self._lines():
            for octets in lines:
                line += 1
                if len(octets) == 15 and octets.isdigit() and self._headed and self._columns is None:
                    self._take(batch, line, int(octets), tables)
                else:
                    self._read_line(batch, line, octets, tables)
                if line - begun_at >= self._limits.batch:
                    yield self._counted(batch, line)
                    batch, begun_at = Batch(), line
        if self.rows + len(batch.lines) + self.rejected + len(batch.rejected) == 0:
            raise ImportFileRefusedError("The file holds no IMEI.", "Send a list, an IMEI a line.", line or 1)
        yield self._counted(batch, line)

    def _counted(self, batch: Batch, line: int) -> Batch:
        self.rows += len(batch.lines)
        self.rejected += len(batch.rejected)
        if self.rows + self.rejected > self._limits.rows:
            raise ImportFileRefusedError(
                f"More than {self._limits.rows:,} rows.", "Send the consignment as several.", line
            )
        if self.rejected > self._limits.rejected:
            first = batch.rejected[0]
            raise ImportFileRefusedError(
                f"More than {self._limits.rejected:,} rows cannot be taken, as this one"
                f" ({first.reason.value}).",
                "Send a list of 15-digit IMEIs, one a line.",
                first.line,
            )
        return batch

    def _chunks(self) -> Iterator[bytes]:
        while True:
            chunk = self._source.read(min(_CHUNK, self._limits.octets - self.octets + 1))
            if not chunk:
                return
            self.octets += len(chunk)
            self._hash.update(chunk)
            if self.octets > self._limits.octets:
                raise ImportFileRefusedError(
                    f"More than {self._limits.octets:,} octets.", "Send only the IMEIs, one a line.", 1
                )
            yield chunk

    def _lines(self) -> Iterator[list[bytes]]:
        rest, done, begun = b"", 0, False
        for chunk in self._chunks():
            piece = rest + chunk
            if not begun:
                if len(piece) < _LONGEST_MARK:  # a socket may give the beginning piece by piece
                    rest = piece
                    continue
                piece, begun = _without_mark(piece), True
            _require_text(piece, done)
            lines = piece.replace(b"\r\n", b"\n").split(b"\n")
            rest = lines.pop()
            if len(rest) > self._limits.line:
                raise self._too_long(done + len(lines) + 1)
            done += len(lines)
            yield lines
        if not begun:
            rest = _without_mark(rest)
            _require_text(rest, 0)
        if rest:
            yield rest.removesuffix(b"\n").split(b"\n")

    def _too_long(self, line: int) -> ImportFileRefusedError:
        return ImportFileRefusedError(
            f"Longer than {self._limits.line} octets.",
            "End each line with a line feed; an IMEI has 15 digits.",
            line,
        )

    def _read_line(self, batch: Batch, line: int, octets: bytes, tables: "_Tables") -> None:
        if len(octets) > self._limits.line:
            raise self._too_long(line)
        try:
            whole = octets.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ImportFileRefusedError("Not UTF-8.", "Save the list as plain UTF-8 text.", line) from error
        text = whole.strip(_BLANK)
        if not text:
            return
        if not self._headed:
            self._headed = True
            if self._header(text, line):
                return
        if self._columns is None:
            self._read_cell(batch, line, _unquoted(text), tables)
            return
        cells = [_unquoted(cell.strip(_BLANK)) for cell in whole.split(self._separator)]
        chosen = [cells[place] for place in self._columns] if len(cells) == self._width else []
        if not any(chosen):
            batch.rejected.append(Rejected(line, Reason.COLUMNS, _shown(text)))
        for cell in chosen:
            if cell:
                self._read_cell(batch, line, cell, tables)

    def _header(self, text: str, line: int) -> bool:
        separator = next((mark for mark in _SEPARATORS if mark in text), ",")
        names = [_unquoted(name.strip(_BLANK)) for name in text.split(separator)]
        if not all(_WORD.fullmatch(name) for name in names):
            return False  # the first row, of a list without header
        plain = [re.sub(r"[ _-]", "", name.lower()) for name in names]
        unknown = [name for name, known in zip(names, plain, strict=True) if known not in _NAMES]
        if unknown or len(set(plain)) != len(plain):
            raise ImportFileRefusedError(
                "Columns are not known, or stand there twice.", "Keep only: imei, or imei1 to imei4.", line
            )
        self._separator, self._width = separator, len(names)
        self._columns = tuple(range(len(names))) if len(names) > 1 else None
        return True

    def _read_cell(self, batch: Batch, line: int, text: str, tables: "_Tables") -> None:
        digits = text.isascii() and text.isdigit()
        if digits and len(text) == 15:
            self._take(batch, line, int(text), tables)
            return
        reason = Reason.NO_CHECK_DIGIT if digits and len(text) == 14 else Reason.NOT_AN_IMEI
        batch.rejected.append(Rejected(line, reason, _shown(text)))

    def _take(self, batch: Batch, line: int, printed: int, tables: "_Tables") -> None:
        imei, check = divmod(printed, 10)
        four, tests = tables
        high, low = divmod(imei, 10**6)
        if (four[high // 10**4] + four[high % 10**4] + four[low // 100] + four[low % 100] + check) % 10:
            reason = Reason.CHECK_DIGIT
        elif imei in _PLACEHOLDERS:
            reason = Reason.PLACEHOLDER
        elif tests[high // 10**4] and is_test_tac(f"{imei:014}"):
            reason = Reason.TEST_TAC
        elif imei in batch.lines:
            reason = Reason.TWICE
        else:
            batch.lines[imei] = line
            return
        batch.rejected.append(Rejected(line, reason, f"{printed:015}"))


_Tables = tuple[tuple[int, ...], tuple[bool, ...]]


@cache
def _check_tables() -> _Tables:
    """By four digits: what they add to the Luhn sum, and whether a TAC for tests may begin with them.

    14 digits fall into groups of four, four, four and two, each of which ends where the sum counts double; so
    the sum of a group is that of its own check digit. A file of ten million rows leaves no time for digits.
    """
    sums = tuple(-int(luhn.check_digit(f"{n:04}")) % 10 for n in range(10_000))
    beginnings = {prefix[:4] for prefix in TEST_TAC_PREFIXES}
    tests = tuple(f"{n:04}" in beginnings for n in range(10_000))
    return sums, tests


def _without_mark(piece: bytes) -> bytes:
    if piece.startswith(_PACKED):
        raise ImportFileRefusedError(
            "The file is packed, or of an office program; it is not opened.",
            "Save the list as plain text or CSV.",
            1,
        )
    if piece.startswith(_OTHER_MARKS):
        raise ImportFileRefusedError("The file is UTF-16 or UTF-32.", "Save the list as plain UTF-8 text.", 1)
    return piece.removeprefix(_UTF8_MARK)


def _require_text(piece: bytes, done: int) -> None:
    place = piece.find(b"\0")
    if place >= 0:
        raise ImportFileRefusedError(
            "A NUL byte.", "Save the list as plain UTF-8 text.", done + 1 + piece.count(b"\n", 0, place)
        )


def _unquoted(text: str) -> str:
    return text[1:-1].strip(_BLANK) if len(text) > 1 and text[0] == text[-1] == '"' else text


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_KEPT_TEXT])
