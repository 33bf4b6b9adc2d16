"""Who is at work, known for certain: by locks that end with the process that holds them.

Why no heartbeat: a worker that is slow, or whose clock jumps, would lose work that it is still doing, and
two would do it. The lock of a process that was killed is free at once, that of one at work never is.
"""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_BITS = 62
_SILENCE = (("idle", 30), ("interval", 10), ("count", 3))
"""Seconds until the server gives up a machine that says nothing any more, and how often it asks."""


class Presence(Protocol):
    """A worker that others see at work."""

    @property
    def number(self) -> int:
        """By which claims name the worker; never given twice."""

    def confirm(self) -> None:
        """Return if others still see the worker at work.

        Raises:
            django.db.Error: the database's server closed the session: what the worker had claimed may be
                another's by now.
        """


@contextmanager
def present() -> Iterator[Presence]:
    """Be seen at work, from now until the end of this context or of this process, however it ends."""
    number = secrets.randbits(_BITS)
    if connections["default"].vendor == "postgresql":
        connection = connections.create_connection("default")
        try:
            yield _Session(connection, number)
        finally:
            connection.close()
    else:
        file = _file(number)
        held = _locked(file)
        assert held is not None
        try:
            yield _File(number)
        finally:
            file.unlink(missing_ok=True)
            os.close(held)


def is_present(number: int) -> bool:
    """Whether a worker is at work."""
    connection = connections["default"]
    if connection.vendor == "postgresql":
        # In a transaction of its own or the caller's: at its end a lock that could be had is let go.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            row = cursor.fetchone()
            return not (row and row[0])
    held = _locked(_file(number), make=False)
    if held is None:
        return _file(number).exists()
    _file(number).unlink(missing_ok=True)
    os.close(held)
    return False


class _Session:
    """A session of PostgreSQL with an advisory lock."""

    def __init__(self, connection: BaseDatabaseWrapper, number: int) -> None:
        self.number = number
        self._connection = connection
        with connection.cursor() as cursor:
            for name, value in _SILENCE:
                cursor.execute(f"SET tcp_keepalives_{name} = {value}")
            cursor.execute("SET idle_session_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [number])

    def confirm(self) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT 1")


class _File:
    """A locked file beside the database: SQLite is of one machine."""

    def __init__(self, number: int) -> None:
        self.number = number

    def confirm(self) -> None:
        """The kernel keeps the lock for as long as the process lives."""


def _folder() -> Path:
    connection = connections["default"]
    name = str(connection.settings_dict["NAME"])
    if name.startswith((":memory:", "file:")):
        # A database in memory is of one process.
        return Path(tempfile.gettempdir()) / f"ceir-workers-{os.getpid()}"
    return Path(f"{name}-workers")


def _file(number: int) -> Path:
    return _folder() / f"{number}.lock"


def _locked(file: Path, *, make: bool = True) -> int | None:
    """The handle of a file that is locked from now on; None: another holds it, or there is none."""
    if make:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(file, os.O_RDWR | (os.O_CREAT if make else 0), 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
