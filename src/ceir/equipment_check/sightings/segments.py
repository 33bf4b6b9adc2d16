"""Files of sightings as a worker writes them: bounded together, whole or recovered, never overwritten."""

import contextlib
import errno
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ceir.equipment_check.sightings.keeping import SpoolLimits
from ceir.equipment_check.sightings.line import CLOSED, HEADER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN = ".open"
_OPENED = re.compile(CLOSED.pattern.replace("-w[0-9]{3,}", "-w(?P<worker>[0-9]{3,})") + re.escape(_OPEN))
_OF_ALL = "folder.lock"
_FILE_MODE, _FOLDER_MODE = 0o600, 0o700
_TAIL = 64 * 1024
_NO_ROOM = "The disk takes no more."
_TRIES, _BETWEEN_TRIES = 50, 0.01


class FolderInUseError(OSError):
    """Another process writes as the same worker in this folder."""


class FolderFullError(OSError):
    """All files together are as large as they may be; what is kept is not thrown away for what is new."""


class _Found(NamedTuple):
    closed: int
    closed_bytes: int
    opened: int


class SegmentWriter:
    """Writes lines into segments of one worker: `sightings-MOMENTZ-wNNN.csv.open`, later without `.open`.

    A name tells when the segment was begun, to the millisecond, and by which worker: in the order of names,
    a worker's sightings are in the order in which they were written. A line is whole once it is in the file:
    nothing waits in this process, so its end, however sudden, loses no line (the machine's end may lose
    those of the segment that was open).

    Everything here may wait for a disk: call it from a thread that nobody waits for.

    Args:
        folder: made with mode 0700 where absent.
        worker: number of the process, 0 or more; one process at a time may write as a worker in a folder.
        clock: seconds since 1970, UTC.
        monotonic: seconds that only go forward.
    """

    def __init__(
        self,
        folder: Path,
        worker: int,
        limits: SpoolLimits,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._folder = folder
        self._worker = worker
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._lock = -1
        self._named = 0
        self._file = -1
        self._path = folder
        self._size = 0
        self._begun = 0.0
        self._ready = False

    def make_ready(self) -> None:
        """Make the folder, become the worker, and recover what killed processes left; cheap when all is so.

        Raises:
            OSError: the folder cannot be had now, or another process is this worker.
        """
        if self._ready and self._is_ours():
            return
        self._close_anyhow()
        self._prepare()

    def write(self, lines: Sequence[bytes]) -> Iterator[int]:
        """Write whole lines; gives, batch by batch, how many more are in a file.

        Raises:
            OSError: the rest cannot be written now. What was written stays; the same lines may be given
                again, from the first that was not.
        """
        done = 0
        while done < len(lines):
            if self._file >= 0 and self._size + len(lines[done]) > self._limits.segment_bytes:
                self.close()
            if self._file < 0:
                self._open()
            room, end = self._limits.segment_bytes - self._size, done
            while end < len(lines) and len(lines[end]) <= room:
                room -= len(lines[end])
                end += 1
            kept = self._append(b"".join(lines[done:end]))
            yield kept
            if kept < end - done:
                self._close_anyhow()
                raise OSError(errno.ENOSPC, _NO_ROOM)
            done = end

    def close_if_old(self) -> None:
        """Close the segment once it is old, so that it can be shipped.

        Raises:
            OSError: see `close`.
        """
        if self._file < 0 or self._monotonic() - self._begun < self._limits.segment_seconds:
            return
        if self._found().closed >= self._limits.unshipped:
            self._begun = self._monotonic()
        else:
            self.close()

    def close(self) -> None:
        """Close the open segment, if any, under its final name.

        Raises:
            OSError: the disk failed. The segment keeps its name and is recovered later.
        """
        if self._file < 0:
            return
        file, self._file = self._file, -1
        try:
            if self._size > len(HEADER):
                os.fsync(file)
                _finish(self._path)
            else:
                self._path.unlink()
        except OSError:
            self._ready = False  # looks for what was left, next time
            raise
        finally:
            os.close(file)

    def release(self) -> None:
        """Let another process be this worker."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        self._ready = False

    def _append(self, octets: bytes) -> int:
        try:
            written = os.write(self._file, octets)
            whole = octets.rfind(b"\n", 0, written) + 1
            if whole < written:
                os.ftruncate(self._file, self._size + whole)
        except OSError:
            self._close_anyhow()
            raise
        self._size += whole
        return octets.count(b"\n", 0, whole)

    def _close_anyhow(self) -> None:
        # What is in the file can be shipped, which may be what makes room.
        with contextlib.suppress(OSError):
            self.close()

    def _open(self) -> None:
        self.make_ready()
        with self._folder_to_ourselves():
            found = self._found()
            claimed = found.closed_bytes + (found.opened + 1) * self._limits.segment_bytes
            if claimed > self._limits.total_bytes:
                raise FolderFullError(errno.EDQUOT, "The folder of sightings is full.")
            path, file = self._fresh()
        try:
            written = os.write(file, HEADER)
            if written < len(HEADER):
                raise OSError(errno.ENOSPC, _NO_ROOM)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise
        self._path, self._file, self._size, self._begun = path, file, written, self._monotonic()

    def _fresh(self) -> tuple[Path, int]:
        """A new file; later names come later in order even when the clock is set back."""
        at = max(int(self._clock() * 1000), self._named + 1)
        while True:
            moment = (_EPOCH + timedelta(milliseconds=at)).strftime("%Y%m%dT%H%M%S")
            path = self._folder / f"sightings-{moment}{at % 1000:03}Z-w{self._worker:03}.csv{_OPEN}"
            self._named = at
            at += 1
            if path.with_suffix("").exists():
                continue
            with contextlib.suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
                return path, os.open(path, flags, _FILE_MODE)

    @contextlib.contextmanager
    def _folder_to_ourselves(self) -> Iterator[None]:
        """While room is claimed: workers that begin a segment at once must not claim the same."""
        for _ in range(_TRIES):
            with contextlib.suppress(FolderInUseError):
                file = _lock(self._folder / _OF_ALL)
                break
            time.sleep(_BETWEEN_TRIES)
        else:
            file = _lock(self._folder / _OF_ALL)
        try:
            yield
        finally:
            os.close(file)

    def _found(self) -> _Found:
        closed = closed_bytes = opened = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if CLOSED.fullmatch(entry.name):
                    with contextlib.suppress(FileNotFoundError):  # shipped meanwhile
                        closed_bytes += entry.stat(follow_symlinks=False).st_size
                        closed += 1
                elif _OPENED.fullmatch(entry.name):
                    opened += 1
        return _Found(closed, closed_bytes, opened)

    # --- becoming the worker

    def _prepare(self) -> None:
        self.release()
        self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self._lock = _lock(self._lock_path(self._worker))
        for name in sorted(os.listdir(self._folder)):  # noqa: PTH208 - names are what is matched
            found = _OPENED.fullmatch(name)
            if found is None:
                continue
            path, worker = self._folder / name, int(found["worker"])
            if worker == self._worker:
                _recover(path)
            else:  # of a worker that is gone for good, when there are fewer of them now
                with contextlib.suppress(FolderInUseError), _locked(self._lock_path(worker)):
                    _recover(path)
        self._ready = True

    def _lock_path(self, worker: int) -> Path:
        return self._folder / f"worker-{worker:03}.lock"

    def _is_ours(self) -> bool:
        """Whether the lock that we hold is still the one in the folder: somebody may have emptied it."""
        try:
            there = self._lock_path(self._worker).stat()
        except FileNotFoundError:
            return False
        held = os.fstat(self._lock)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)


def _lock(path: Path) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        os.close(file)
        raise FolderInUseError(errno.EAGAIN, "Another process holds the folder's lock.") from taken
    return file


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = _lock(path)
    try:
        yield
    finally:
        os.close(file)


def _recover(path: Path) -> None:
    """Cut a torn last line off a segment that a killed process left, and close it; drop it when empty."""
    file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(file).st_size
        end = _end_of_last_line(file, size)
        if end <= len(HEADER):
            path.unlink()
            return
        if end < size:
            os.ftruncate(file, end)
        os.fsync(file)
    finally:
        os.close(file)
    _finish(path)


def _end_of_last_line(file: int, size: int) -> int:
    while size:
        start = max(0, size - _TAIL)
        place = os.pread(file, size - start, start).rfind(b"\n")
        if place >= 0:
            return start + place + 1
        size = start
    return 0


def _finish(path: Path) -> None:
    path.rename(path.with_suffix(""))
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
