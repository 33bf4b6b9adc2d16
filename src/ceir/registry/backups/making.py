"""Making a back-up of a register that goes on meanwhile."""

import os
import shutil
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import Mark, record
from ceir.registry.audit.models import Head
from ceir.registry.backups.contents import (
    DATABASE,
    DOCUMENT_LIST,
    DOCUMENTS,
    MANIFEST,
    BackupError,
    Manifest,
    copy,
    fingerprints,
    sha256_of,
    write,
)
from ceir.registry.backups.databases import dump
from ceir.registry.documents.models import Content
from ceir.registry.personal.keys import KeyRing
from ceir.registry.project.migrating import taken


def make_backup(folder: Path, *, version: str, at: datetime) -> Manifest:
    """Write database and documents into a new folder, which appears once it is whole.

    The database first: a document that comes meanwhile is of the next back-up, one that is shredded
    meanwhile is gone here too, as it must be.

    Args:
        folder: not there yet; beside it must be room.
        version: of this program.

    Raises:
        BackupError: the folder is there already, or something could not be written.
        PersonalKeyError: the keys are not whole: without them a back-up is worth little.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists.", "A back-up is not overwritten: name a new folder.")
    ring = KeyRing.load(settings.CEIR_KEYS)
    record(SYSTEM, "register.backed_up", "register:1", at=at, basis="back-up")
    head = Head.objects.get(pk=1)
    fresh = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True, mode=0o700)
        database = fresh / DATABASE[connection.vendor]
        dump(database)
        documents, missing = _copy_documents(fresh)
        manifest = Manifest(
            version=version,
            made_at=at,
            database=connection.vendor,
            database_sha256=sha256_of(database),
            documents_sha256=sha256_of(fresh / DOCUMENT_LIST),
            documents=documents,
            missing=missing,
            keys=fingerprints(ring),
            mark=str(Mark(head.sequence, bytes(head.digest))),
            migrations=taken(),
        )
        write(fresh / MANIFEST, manifest.model_dump_json(indent=1))
        fresh.rename(folder)
    except OSError as error:
        raise BackupError(
            f"The back-up cannot be written: {error.strerror}.", "Look whether there is room and right."
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return manifest


def copy_keys(folder: Path, secret: Path) -> None:
    """Copy the keys of personal data, and the secret that signs sessions, into a new folder.

    Raises:
        BackupError: the folder is there already.
    """
    if folder.exists():
        raise BackupError(f"{folder} exists.", "Keys are not overwritten: name a new folder.")
    KeyRing.load(settings.CEIR_KEYS)
    for file in sorted(Path(settings.CEIR_KEYS).glob("*.key")):
        copy(file, folder / file.name)
    copy(secret, folder / "secret")


def _copy_documents(target: Path) -> tuple[int, tuple[str, ...]]:
    """Copy the file of every document that is not shredded. Returns: how many, and those that were gone."""
    count, missing = 0, []
    kept = Content.objects.filter(documents__shredded_at__isnull=True).distinct().order_by("pk")
    lines = []
    for digest in kept.values_list("pk", flat=True).iterator():
        place = f"{DOCUMENTS}/{digest[:2]}/{digest}"
        try:
            sha256 = copy(Path(settings.CEIR_DOCUMENTS) / digest[:2] / digest, target / place)
        except FileNotFoundError:
            missing.append(digest)
            continue
        lines.append(f"{sha256}  {place}\n")
        count += 1
    write(target / DOCUMENT_LIST, "".join(lines))
    return count, tuple(missing)
