"""What a back-up is: a folder with the database, the documents, and a manifest that is written last."""

import hashlib
import hmac
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ceir.errors import CeirError
from ceir.registry.personal.keys import KeyRing

MANIFEST = "manifest.json"
DATABASE = {"postgresql": "register.dump", "sqlite": "register.sqlite3"}
DOCUMENTS = "documents"
DOCUMENT_LIST = "documents.txt"
"""A line each: SHA-256 of the stored file, two blanks, its place; what `sha256sum --check` reads."""

_BLOCK = 1 << 20
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class BackupError(CeirError):
    """A back-up cannot be made here."""

    code: ClassVar[str] = "backup_refused"


class BackupDamagedError(CeirError):
    """A back-up is not whole; nothing was restored."""

    code: ClassVar[str] = "backup_damaged"


class Manifest(BaseModel):
    """What lies in a back-up.

    Args:
        version: of the program that made it.
        database: `postgresql` or `sqlite`; it can be restored into the same only.
        database_sha256: of its file.
        documents_sha256: of the list of documents.
        documents: how many.
        missing: digests of documents whose file was gone already when the back-up was made.
        keys: keys of personal data by name, each by what only its holder can compute; the keys themselves
            are kept elsewhere.
        mark: where the record of deeds ended when the back-up began.
        migrations: steps that the database had taken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    version: str
    made_at: datetime
    database: Literal["postgresql", "sqlite"]
    database_sha256: _Sha256
    documents_sha256: _Sha256
    documents: Annotated[int, Field(ge=0)]
    missing: tuple[str, ...]
    keys: dict[str, str]
    mark: Annotated[str, StringConstraints(pattern=r"^[0-9]+:[0-9a-f]{64}$")]
    migrations: tuple[str, ...]

    @property
    def file(self) -> str:
        """Name of the database's file."""
        return DATABASE[self.database]


def fingerprints(ring: KeyRing) -> dict[str, str]:
    """What tells one key from another and gives nothing away."""
    known = {**ring.keys, "index": ring.index}
    return {
        name: hmac.new(key, b"openceir back-up", hashlib.sha256).hexdigest()[:16]
        for name, key in sorted(known.items())
    }


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a back-up.

    Raises:
        BackupDamagedError: it is not there, or is none.
    """
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise BackupDamagedError(
            f"{folder} holds no whole back-up: {MANIFEST} is missing or cannot be understood.",
            "Name the folder that `ceir backup` made.",
        ) from error


def verify(folder: Path) -> Manifest:
    """Hold everything in a back-up against its manifest.

    Raises:
        BackupDamagedError: something is missing or was changed; it names the first.
    """
    manifest = read_manifest(folder)
    _require(folder, manifest.file, manifest.database_sha256)
    _require(folder, DOCUMENT_LIST, manifest.documents_sha256)
    count = 0
    for sha256, place in document_list(folder):
        _require(folder, place, sha256)
        count += 1
    if count != manifest.documents:
        raise BackupDamagedError(f"{DOCUMENT_LIST} names {count} documents.", "Take another back-up.")
    return manifest


def document_list(folder: Path) -> Iterator[tuple[str, str]]:
    """SHA-256 and place of every document's file in a back-up."""
    with (folder / DOCUMENT_LIST).open(encoding="ascii") as lines:
        for line in lines:
            sha256, _, place = line.rstrip("\n").partition("  ")
            digest = place.rsplit("/", 1)[-1]
            # Places become paths on this machine: only those of our own form pass.
            if place != f"{DOCUMENTS}/{digest[:2]}/{digest}" or not _is_digest(digest):
                raise BackupDamagedError(f"{DOCUMENT_LIST} names {place[:80]!r}.", "Take another back-up.")
            yield sha256, place


def sha256_of(file: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _own_folder(folder: Path) -> None:
    """Make a folder, and what lacks above it, for its owner only; `parents=True` would ask the umask."""
    if not folder.exists():
        _own_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def copy(source: Path, target: Path) -> str:
    """Copy a file for its owner only, to the disk, and into its place once it is whole. Returns: SHA-256."""
    _own_folder(target.parent)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    digest = hashlib.sha256()
    try:
        with source.open("rb") as read, os.fdopen(_made(fresh), "wb") as written:
            while block := read.read(_BLOCK):
                digest.update(block)
                written.write(block)
            written.flush()
            os.fsync(written.fileno())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return digest.hexdigest()


def write(target: Path, text: str) -> None:
    """Write a text for its owner only, to the disk."""
    with os.fdopen(_made(target), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _made(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _require(folder: Path, name: str, sha256: str) -> None:
    try:
        found = sha256_of(folder / name)
    except OSError as error:
        raise BackupDamagedError(
            f"{name} of the back-up cannot be read: {error.strerror}.", "Take another back-up."
        ) from error
    if found != sha256:
        raise BackupDamagedError(f"{name} of the back-up was changed.", "Take another back-up.")
