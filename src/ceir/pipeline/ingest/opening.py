"""Opening a delivered file: unpacking, its fingerprint, its header and what its lines look like."""

import csv
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
import zstandard

from ceir.clock import day_number
from ceir.errors import CeirError
from ceir.pipeline.progress import Progress
from ceir.pipeline.workspace import disk_errors

CHUNK = 1 << 20

LONGEST_LINE = 1 << 20
"""Bytes; the engine's reader needs a bound, and no row of any source comes near it."""

LINE_FEED, RETURN = 10, 13
Codes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.intp]
UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, zstandard.ZstdError)
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class FileRefusedError(CeirError):
    """The file cannot be taken at all: it is not what its name or its source promises."""

    code = "file_refused"


@dataclass(frozen=True)
class Text:
    """What one pass over a text tells.

    Args:
        first: its first line.
        sha256: of its bytes.
        lines: lines in all, the header and blank ones included.
        blank: lines with nothing on them.
        quoted: some value stands in quotes.
        spaced: there are spaces or tabs after the first line: some value may have them around it.
        endings: how lines end; `mixed`: some with LF, some with CR LF.
    """

    first: str
    sha256: str
    lines: int
    blank: int
    quoted: bool
    spaced: bool
    endings: Literal["lf", "crlf", "mixed"]


@dataclass(frozen=True)
class OpenedFile:
    """A file whose lines the engine can read.

    Args:
        name: its own, without that of its packing.
        path: plain text, or compressed as the engine reads it.
        compression: what the engine must undo: none, gzip or zstd.
        text: of the unpacked content, so that the same rows packed otherwise are recognised.
        header: the header's names, lower case, spaces as underscores.
    """

    name: str
    path: Path
    compression: str
    text: Text
    header: tuple[str, ...]
    delimiter: str


def open_delivery(
    path: Path, delimiters: tuple[str, ...], known: frozenset[str], scratch: Path, progress: Progress
) -> OpenedFile:
    """Read a file once from end to end, and learn what must be known before the engine reads it.

    Args:
        delimiters: separators to try on the header, the source's own first.
        known: header names that the source knows; the separator that finds most of them wins.
        scratch: where the member of a ZIP is unpacked.

    Raises:
        FileRefusedError: unreadable, packed wrongly, empty, not UTF-8, with control characters, lone
            carriage returns or endless lines.
        DiskFullError: no room to unpack it.
    """
    name, plain, compression = path.name, path, "none"
    try:
        if path.suffix.lower() == ".zip":
            name, plain = _unzip(path, scratch)
        elif path.suffix.lower() in (".gz", ".zst"):
            name, compression = path.stem, {".gz": "gzip", ".zst": "zstd"}[path.suffix.lower()]
        with progress.step(f"Checking {path.name}", None, "bytes") as step:
            text = _scan(_chunks(plain, compression), name, step.at)
    except (*UNREADABLE, RuntimeError) as error:  # zipfile raises RuntimeError for a password
        reason = getattr(error, "strerror", None) or str(error)
        raise FileRefusedError(
            f"{path} cannot be read: {reason}.",
            "Check that it exists, arrived whole, has no password, and that you may read it.",
        ) from error
    header, delimiter = _header(text.first, delimiters, known)
    return OpenedFile(name, _plainly_named(plain, scratch), compression, text, header, delimiter)


def days_of_name(name: str) -> tuple[int, int] | None:
    """First and last day (day numbers) that a file's name speaks of: its last two parts; None: it has
    none."""
    found = re.search(r"_([0-9]{8})_([0-9]{8})\.[A-Za-z]+$", name)
    if not found:
        return None
    try:
        first, last = (date(int(d[:4]), int(d[4:6]), int(d[6:])) for d in found.groups())
    except ValueError:
        return None
    return (day_number(first), day_number(last)) if first <= last else None


def _unzip(path: Path, scratch: Path) -> tuple[str, Path]:
    with zipfile.ZipFile(path) as archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) != 1:
            raise FileRefusedError(
                f"{path.name} holds {len(members)} files; a delivery is one file.",
                "Pack each file on its own.",
            )
        target = scratch / "unpacked"
        with archive.open(members[0]) as packed, disk_errors(), target.open("wb") as plain:
            while chunk := _read(packed, path.name):
                plain.write(chunk)
        return Path(members[0].filename).name, target


def _read(packed: IO[bytes], name: str) -> bytes:
    """The next part of a ZIP's member; its faults are the file's, not the disk's that it is written to."""
    try:
        return packed.read(CHUNK)
    except UNREADABLE as error:
        raise FileRefusedError(f"{name} cannot be unpacked: {error}.", "Ask for it again.") from error


def _plainly_named(path: Path, scratch: Path) -> Path:
    """The same file under a name that the engine does not take for a pattern of names."""
    if not set("*?[") & set(str(path)):
        return path
    link = scratch / "delivered"
    link.symlink_to(path.resolve())
    return link


def _chunks(path: Path, compression: str) -> Iterator[bytes]:
    """The unpacked content in parts.

    Raises:
        EOFError: the packed file ends before its content does.
    """
    with path.open("rb") as raw:
        if compression == "zstd":
            yield from _unpacked_zstd(raw)
        else:
            with gzip.open(raw) if compression == "gzip" else nullcontext(raw) as stream:
                while chunk := stream.read(CHUNK):
                    yield chunk


def _unpacked_zstd(raw: IO[bytes]) -> Iterator[bytes]:
    """Frame by frame: the library's own reader takes a file that was cut off for one that ended."""
    frame = None
    while packed := raw.read(CHUNK >> 4):
        while packed:
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            yield frame.decompress(packed)
            packed = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame:
        raise EOFError("it ends before its content does")


def _blocks(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The content in blocks of whole lines; only the last one may lack its line feed."""
    rest = b""
    for chunk in chunks:
        whole, feed, rest = (rest + chunk).rpartition(b"\n")
        _refuse_width(len(rest), name)
        if feed:
            yield whole + feed
    if rest:
        yield rest


def _scan(chunks: Iterator[bytes], name: str, done: Callable[[float], None]) -> Text:
    """Look at every byte once.

    Why with numpy: a pass of its own for each question over each block is still far cheaper than a loop over
    lines, and every row of every file goes through here.
    """
    digest = hashlib.sha256()
    first, size, lines, feeds, blank, returned = b"", 0, 0, 0, 0, 0
    quoted = spaced = False
    for block in _blocks(chunks, name):
        digest.update(block)
        codes = np.frombuffer(block, dtype=np.uint8)
        ends = np.flatnonzero(codes == LINE_FEED)
        returns = np.flatnonzero(codes == RETURN) if b"\r" in block else ends[:0]
        _refuse_bytes(
            block, name, lines, controls=int(np.count_nonzero(codes < 32)) - len(ends) - len(returns)
        )
        _refuse_returns(codes, returns, name, lines)
        feeds, returned = feeds + len(ends), returned + len(returns)
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(codes))
        widths = np.diff(ends, prepend=-1) - 1
        _refuse_width(int(widths.max()), name)
        blank += int(np.count_nonzero(widths == 0))
        if len(returns):
            blank += int(np.count_nonzero((widths == 1) & (codes[ends - 1] == RETURN)))
        body = block
        if not lines:
            first, body = block[: ends[0]], block[ends[0] :]
        quoted = quoted or b'"' in body
        spaced = spaced or b" " in body or b"\t" in body
        lines, size = lines + len(ends), size + len(block)
        done(size)
    if size == 0:
        raise FileRefusedError(f"{name} is empty: it has not even a header.", "Ask for it again.")
    return Text(
        first=first.decode("utf-8").removeprefix("\ufeff").rstrip("\r"),
        sha256=digest.hexdigest(),
        lines=lines,
        blank=blank,
        quoted=quoted,
        spaced=spaced,
        endings="lf" if not returned else "crlf" if returned == feeds else "mixed",
    )


def _refuse_width(width: int, name: str) -> None:
    if width > LONGEST_LINE:
        raise FileRefusedError(
            f"{name} has a line of more than {LONGEST_LINE:,} bytes: it is not a table.",
            "End lines with LF or CR LF.",
        )


def _refuse_bytes(block: bytes, name: str, lines: int, controls: int) -> None:
    """Refuse what is no text.

    Args:
        lines: those before the block.
        controls: control characters in it, tabs included, line ends not.
    """
    if not block.isascii():
        try:
            block.decode("utf-8")
        except UnicodeDecodeError as error:
            line = lines + block.count(b"\n", 0, error.start) + 1
            raise FileRefusedError(
                f"{name} is not UTF-8: line {line} has the byte 0x{block[error.start]:02x}.",
                "Convert it to UTF-8, for instance with: iconv -f LATIN1 -t UTF-8",
            ) from error
    if (controls and controls > block.count(b"\t")) or b"\x7f" in block:
        found = CONTROL.search(block)
        assert found is not None
        line = lines + block.count(b"\n", 0, found.start()) + 1
        raise FileRefusedError(
            f"{name} has control characters: line {line} has the byte 0x{found[0][0]:02x}.",
            "Ask for it as plain text.",
        )


def _refuse_returns(codes: Codes, returns: Positions, name: str, lines: int) -> None:
    """Refuse carriage returns without a line feed; `lines` came before the block."""
    after = returns + 1
    lone = returns[(after == len(codes)) | (codes[np.minimum(after, len(codes) - 1)] != LINE_FEED)]
    if len(lone):
        line = lines + int(np.count_nonzero(codes[: lone[0]] == LINE_FEED)) + 1
        raise FileRefusedError(
            f"{name} has a carriage return without a line feed on line {line}.",
            "End lines with LF or CR LF.",
        )


def _header(first: str, delimiters: tuple[str, ...], known: frozenset[str]) -> tuple[tuple[str, ...], str]:
    def names(delimiter: str) -> tuple[str, ...]:
        try:
            row = next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
        except csv.Error:  # a first line without end: whatever it is, it is no header
            row = []
        return tuple(re.sub(r"\s+", "_", name.strip().strip('"').lower()) for name in row)

    best = max(delimiters, key=lambda d: len(known.intersection(names(d))))
    return names(best), best
