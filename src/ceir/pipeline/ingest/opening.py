"""Opening a delivered file: unpacking, its fingerprint, its header and how many lines it has."""

import codecs
import csv
import gzip
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

import zstandard

from ceir.clock import day_number
from ceir.errors import CeirError
from ceir.pipeline.progress import Progress

CHUNK = 1 << 20


class FileRefusedError(CeirError):
    """The file cannot be taken at all: it is not what its name or its source promises."""

    code = "file_refused"


@dataclass(frozen=True)
class OpenedFile:
    """A file whose lines the engine can read.

    Args:
        path: plain text, or compressed as the engine reads it.
        compression: what the engine must undo: none, gzip or zstd.
        sha256: of the unpacked content, so that the same rows packed otherwise are recognised.
        lines: lines in all, the header and blank ones included.
        quoted: some value stands in quotes.
        header: the header's names, lower case, spaces as underscores.
    """

    name: str
    path: Path
    compression: str
    sha256: str
    lines: int
    quoted: bool
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
        FileRefusedError: unreadable, packed wrongly, empty, not UTF-8, with control characters or lone
            carriage returns.
    """
    name, plain, compression = path.name, path, "none"
    try:
        if path.suffix.lower() == ".zip":
            name, plain = _unzip(path, scratch)
        elif path.suffix.lower() in (".gz", ".zst"):
            name, compression = path.stem, {".gz": "gzip", ".zst": "zstd"}[path.suffix.lower()]
        with (
            _stream(plain, compression) as stream,
            progress.step(f"Checking {path.name}", None, "bytes") as step,
        ):
            first, digest, lines, quoted = _scan(stream, name, step.at)
    except (OSError, EOFError, zipfile.BadZipFile, zstandard.ZstdError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileRefusedError(
            f"{path} cannot be read: {reason}.",
            "Check that it exists, arrived whole, and that you may read it.",
        ) from error
    header, delimiter = _header(first, delimiters, known)
    return OpenedFile(name, plain, compression, digest, lines, quoted, header, delimiter)


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
        scratch.mkdir(parents=True, exist_ok=True)
        target = scratch / f"unpacked-{path.stem}"
        with archive.open(members[0]) as packed, target.open("wb") as plain:
            while chunk := packed.read(CHUNK):
                plain.write(chunk)
        return Path(members[0].filename).name, target


@contextmanager
def _stream(path: Path, compression: str) -> Iterator[BinaryIO]:
    with path.open("rb") as raw:
        if compression == "gzip":
            with gzip.open(raw) as stream:
                yield stream  # type: ignore[misc]  # GzipFile reads like a BinaryIO
        elif compression == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
                yield stream
        else:
            yield raw


def _scan(stream: BinaryIO, name: str, done: object) -> tuple[str, str, int, bool]:
    """First line, fingerprint, number of lines and whether there are quotes."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    first, lines, size, quoted, returns, ended = b"", 0, 0, False, 0, True
    tail = b""
    while chunk := stream.read(CHUNK):
        if not lines and b"\n" not in first:
            first += chunk
        digest.update(chunk)
        if not chunk.isascii() or decoder.getstate()[0]:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                line = lines + chunk[: error.start].count(b"\n") + 1
                raise FileRefusedError(
                    f"{name} is not UTF-8: line {line} has the byte 0x{error.object[error.start]:02x}.",
                    "Convert it to UTF-8, for instance with: iconv -f LATIN1 -t UTF-8",
                ) from error
        if b"\x00" in chunk or b"\x1f" in chunk:
            raise FileRefusedError(
                f"{name} has control characters: it is not text.", "Ask for it as plain text."
            )
        lines += chunk.count(b"\n")
        returns += chunk.count(b"\r") - (tail[-1:] + chunk).count(b"\r\n")
        quoted = quoted or b'"' in chunk
        size += len(chunk)
        ended = chunk.endswith(b"\n")
        tail = chunk[-1:]
        done(size)  # type: ignore[operator]
    if returns:
        raise FileRefusedError(
            f"{name} has {returns} carriage returns without a line feed.", "End lines with LF or CR LF."
        )
    if size == 0:
        raise FileRefusedError(f"{name} is empty: it has not even a header.", "Ask for it again.")
    text = first.split(b"\n", 1)[0].decode("utf-8", "replace")
    return text.removeprefix("\ufeff").rstrip("\r"), digest.hexdigest(), lines + (0 if ended else 1), quoted


def _header(first: str, delimiters: tuple[str, ...], known: frozenset[str]) -> tuple[tuple[str, ...], str]:
    def names(delimiter: str) -> tuple[str, ...]:
        row = next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
        return tuple(re.sub(r"\s+", "_", name.strip().strip('"').lower()) for name in row)

    best = max(delimiters, key=lambda d: len(known.intersection(names(d))))
    return names(best), best
