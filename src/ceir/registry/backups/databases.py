"""The database as one file, and back: PostgreSQL by its own programs, SQLite by its own copying."""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection

from ceir.registry.backups.contents import BackupError, copy

_DEBIAN = "/usr/lib/postgresql"
_LOCK_WAIT = "10s"


def dump(target: Path) -> None:
    """Write the database as it is at one moment; others go on meanwhile.

    Raises:
        BackupError: it could not be written.
    """
    if connection.vendor == "postgresql":
        # As fast as it reads; whoever wants it smaller compresses the folder.
        _run("pg_dump", "--format=custom", "--compress=1", "--no-owner", "--no-privileges",
             f"--lock-wait-timeout={_LOCK_WAIT}", f"--file={target}")  # fmt: skip
        target.chmod(0o600)
        _to_disk(target)
        return
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copied:
        connection.connection.backup(copied)
        # A file by itself: what is copied further has no log beside it.
        copied.execute("PRAGMA journal_mode=DELETE")
        found = copied.execute("PRAGMA integrity_check").fetchone()
    if found != ("ok",):
        raise BackupError("The copy of the database is not whole.", "Look at the disk; restore an older one.")
    _to_disk(target)


def load(source: Path) -> None:
    """Put a database in the place of the one that is there and holds nothing: whole, or not at all.

    Raises:
        BackupError: it could not be read.
    """
    if connection.vendor == "postgresql":
        connection.close()
        _run("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction",
             f"--dbname={connection.settings_dict['NAME']}", str(source))  # fmt: skip
        return
    place = Path(str(connection.settings_dict["NAME"]))
    connection.close()
    for beside in ("-wal", "-shm"):
        place.with_name(place.name + beside).unlink(missing_ok=True)
    copy(source, place)


def _run(program: str, *arguments: str) -> None:
    settings = connection.settings_dict
    # Where it is and who asks goes by the environment: arguments are seen by everybody on the machine.
    told = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        "PGAPPNAME": "openceir back-up",
    }
    environment = {**os.environ, **{name: str(value) for name, value in told.items() if value}}
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [_program(program), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.split())[:400]
        raise BackupError(f"{program} failed: {said}", "See what it says; it must be as new as the server.")


def _program(name: str) -> str:
    newest = sorted(
        Path(_DEBIAN).glob(f"*/bin/{name}"), key=lambda file: _number(file.parts[-3]), reverse=True
    )
    found = str(newest[0]) if newest else shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed.", "Debian: apt-get install postgresql-client")
    return found


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in text.split("."))


def _to_disk(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
