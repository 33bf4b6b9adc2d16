"""Keeping documents: encrypted files named by their SHA-256, in a folder outside the database.

No name or path from outside is ever used. What may be done with a document is a matter of what it belongs to:
whoever calls has asked for the permission.
"""

import hashlib
import os
import threading
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ClassVar

from django.conf import settings
from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.documents.media_types import PAPERS, DocumentRefusedError, MediaType, media_type_of
from ceir.registry.documents.models import Content, Document
from ceir.registry.personal.fields import Access, keys
from ceir.registry.personal.reading import record_read

MOST_OCTETS = 10 * 1024 * 1024
"""A photo of a good camera fits; larger ones show no more."""


class DocumentMissingError(CeirError):
    """A document was shredded, or its file is gone or was changed."""

    code: ClassVar[str] = "document_missing"


def keep(
    source: bytes | BinaryIO,
    subject: str,
    *,
    actor: Actor,
    at: datetime,
    allowed: frozenset[MediaType] = PAPERS,
) -> Document:
    """Keep a document with what it belongs to; handed in again, it is the one that is there.

    Args:
        source: its octets, or what they are read from; never read further than what is allowed.
        subject: as the record names it: `case:12`.

    Raises:
        DocumentRefusedError: empty, over 10 MB, or not one of the types allowed.
    """
    octets = source if isinstance(source, bytes) else source.read(MOST_OCTETS + 1)
    if not 0 < len(octets) <= MOST_OCTETS:
        raise DocumentRefusedError(
            "The document is empty." if not octets else "The document is too large.",
            f"At most {MOST_OCTETS:,} octets.",
        )
    media_type = media_type_of(octets)
    if media_type not in allowed:
        named = ", ".join(sorted(kind.name for kind in allowed))
        raise DocumentRefusedError(f"A {media_type.name} is not taken here.", f"Send one of: {named}.")
    digest = hashlib.sha256(octets).hexdigest()
    with transaction.atomic():
        Content.objects.get_or_create(
            digest=digest, defaults={"media_type": media_type.value, "size": len(octets)}
        )
        content = Content.objects.select_for_update().get(pk=digest)
        there = content.documents.filter(subject=subject, shredded_at__isnull=True).first()
        if there is not None:
            return there
        _write(digest, octets)
        document = Document.objects.create(
            content=content,
            subject=subject,
            kept_by=actor.id,
            kept_organisation=actor.organisation,
            kept_at=at,
        )
        record(
            actor, "document.kept", subject, at=at,
            detail={"document": document.pk, "sha256": digest, "type": media_type.value},
        )  # fmt: skip
    return document


def read(document: Document, access: Access) -> bytes:
    """What a document shows; that it was read is recorded first.

    Raises:
        DocumentMissingError: shredded, gone, or not what was kept.
        PersonalKeyError: the key is missing, or the file was changed.
        RuntimeError: a person reads in a transaction that is none of `personal.reading.reading`.
    """
    if document.shredded_at is not None:
        raise DocumentMissingError(
            "The document was shredded.", "Its line in the record tells by whom and why."
        )
    record_read(
        "document.read", document.subject, actor=access.actor, at=access.at, basis=access.basis,
        detail={"document": document.pk},
    )  # fmt: skip
    digest = document.content_id
    try:
        stored = _path(digest).read_bytes()
    except OSError as error:
        raise DocumentMissingError("The document's file is gone.", "Restore it from a back-up.") from error
    octets = keys().decrypt_octets(_label(digest), stored)
    if hashlib.sha256(octets).hexdigest() != digest:
        raise DocumentMissingError("The document's file was changed.", "Restore it from a back-up.")
    return octets


def shred(document: Document, *, actor: Actor, at: datetime, reason: str) -> None:
    """Destroy what a document shows; that it was there stays known. Done again it does nothing.

    Its file goes when nothing else shares it, once the transaction has ended well.
    """
    with transaction.atomic():
        content = Content.objects.select_for_update().get(pk=document.content_id)
        changed = Document.objects.filter(pk=document.pk, shredded_at__isnull=True).update(shredded_at=at)
        if not changed:
            return
        document.shredded_at = at
        record(
            actor,
            "document.shredded",
            document.subject,
            at=at,
            basis=reason,
            detail={"document": document.pk},
        )
        transaction.on_commit(lambda: _remove_unshared(content.digest))


def sweep(before: datetime) -> int:
    """Remove files that no document needs: what a process that was stopped left behind.

    Args:
        before: only files older than this moment, so that none is taken that is just being kept.

    Returns: how many went.
    """
    gone = 0
    for file in sorted(_folder().glob("??/*")):
        if file.stat().st_mtime >= before.timestamp():
            continue
        if file.name.startswith(".") or not Content.objects.filter(pk=file.name).exists():
            file.unlink(missing_ok=True)
            gone += 1
        else:
            gone += _remove_unshared(file.name)
    return gone


def _remove_unshared(digest: str) -> bool:
    # Locked anew: who keeps the same octets again has either done so by now, or writes the file afterwards.
    with transaction.atomic():
        content = Content.objects.select_for_update().get(pk=digest)
        if content.documents.filter(shredded_at__isnull=True).exists() or not _path(digest).exists():
            return False
        _path(digest).unlink()
        return True


def _write(digest: str, octets: bytes) -> None:
    file = _path(digest)
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_name(f".{digest}.{os.getpid()}-{threading.get_ident()}")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(keys().encrypt_octets(_label(digest), octets))
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _folder() -> Path:
    return Path(settings.CEIR_DOCUMENTS)


def _path(digest: str) -> Path:
    return _folder() / digest[:2] / digest


def _label(digest: str) -> str:
    return f"document:{digest}"
