"""Copies of arriving snapshots that nobody else writes to."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

_KEPT = 2
_SUFFIX = ".own"


class OwnCopies:
    """A folder in which arriving files are copied before they are mapped, once for all that share it.

    Why: what is cut off under a mapping ends the process that looks there (SIGBUS), all workers at once; and
    what is changed there changes answers that nobody signed. `cp` and `scp` onto a name that exists do the
    one and the other. In memory (/dev/shm) the copy never waits for a disk either.

    Args:
        folder: made where absent, of this service alone; room for two snapshots.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, file: Path) -> Path:
        """The copy of a file as it is now; made by whoever asks first.

        What is copied may be half written or wrong: verify the copy, not the file.

        Raises:
            OSError: no room, or the file is gone.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = file.stat()
        copy = self._folder / f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}{_SUFFIX}"
        with self._locked():
            if not copy.exists():
                fresh = copy.with_suffix(".new")
                try:
                    shutil.copyfile(file, fresh)
                    fresh.replace(copy)
                except OSError:
                    fresh.unlink(missing_ok=True)
                    raise
            os.utime(copy)
        return copy

    def tidy(self) -> None:
        """Delete all copies but the last two asked for: the one in force, and one that others may be opening.

        What is mapped stays for whom it is mapped.
        """
        with contextlib.suppress(OSError), self._locked():
            copies = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda copy: -copy.stat().st_mtime_ns)
            for copy in copies[_KEPT:]:
                copy.unlink()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        file = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)
