"""Bringing a register back from a back-up, and finding out what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import connection

from ceir.errors import CeirError
from ceir.registry.audit.chain import Mark
from ceir.registry.audit.chain import verify as verify_record
from ceir.registry.backups.contents import (
    DOCUMENTS,
    Manifest,
    copy,
    document_list,
    fingerprints,
    verify,
)
from ceir.registry.backups.databases import load
from ceir.registry.documents.models import Content
from ceir.registry.personal.finding import encrypted_fields, models_with_personal_data
from ceir.registry.personal.keys import KeyRing, PersonalKeyError
from ceir.registry.project.migrating import is_fresh, known, migrate


class RestoreError(CeirError):
    """The back-up cannot be restored here; nothing was changed."""

    code: ClassVar[str] = "restore_refused"


@dataclass(frozen=True)
class Restored:
    """What came back.

    Args:
        mark: where the record of deeds ends; it was walked from its beginning.
        missing: digests of documents that are known but whose file is in no back-up.
        unreadable: personal data that no key here opens, as `model.field: why`.
        migrated: steps that it lacked, and took.
    """

    manifest: Manifest
    mark: Mark
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]
    migrated: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return not (self.missing or self.unreadable)


def restore(folder: Path, *, keys_lost: bool = False) -> Restored:
    """Bring a register back into a database that holds nothing.

    The database comes last and in one piece: interrupted before, it is done again from the beginning.

    Args:
        folder: the back-up.
        keys_lost: go on although keys are missing: personal data stays unreadable.

    Raises:
        BackupDamagedError: the back-up is not whole.
        RestoreError: the database holds something, is of another kind, or keys are missing.
        BackupError: the database could not be read in.
        AuditBrokenError: the record of deeds in it was changed.
    """
    manifest = verify(folder)
    if manifest.database != connection.vendor:
        raise RestoreError(
            f"The back-up is of {manifest.database}, this register of {connection.vendor}.",
            "Set CEIR_DATABASE as it was.",
        )
    newer = sorted(set(manifest.migrations) - known())
    if newer:
        raise RestoreError(
            f"The back-up is of version {manifest.version}, which has steps that this one lacks: {newer[0]}.",
            "Restore it with that version.",
        )
    if not is_fresh():
        raise RestoreError(
            "The register's database holds something already.",
            "Restore into an empty one, and look at it before it takes the place of the old one.",
        )
    lost = [] if keys_lost else _lost_keys(manifest)
    if lost:
        raise RestoreError(
            f"These keys of personal data are missing or others: {', '.join(lost)}.",
            f"Put them into {settings.CEIR_KEYS} with --keys DIR; if they are lost for good: --keys-lost",
        )
    for sha256, place in document_list(folder):
        target = Path(settings.CEIR_DOCUMENTS) / Path(place).relative_to(DOCUMENTS)
        if copy(folder / place, target) != sha256:
            raise RestoreError(f"{place} changed while it was read.", "Look at the disk.")
    load(folder / manifest.file)
    return examine(manifest, migrate())


def examine(manifest: Manifest, migrated: tuple[str, ...] = ()) -> Restored:
    """Look whether all is there that the database speaks of.

    Raises:
        AuditBrokenError: the record of deeds was changed.
    """
    sequence, _, digest = manifest.mark.partition(":")
    return Restored(
        manifest=manifest,
        mark=verify_record((Mark(int(sequence), bytes.fromhex(digest)),)),
        missing=tuple(_missing_documents()),
        unreadable=tuple(_unreadable()),
        migrated=migrated,
    )


def _lost_keys(manifest: Manifest) -> list[str]:
    try:
        here = fingerprints(KeyRing.load(settings.CEIR_KEYS))
    except PersonalKeyError:
        here = {}
    return [name for name, print_ in manifest.keys.items() if here.get(name) != print_]


def _missing_documents() -> Iterator[str]:
    kept = Content.objects.filter(documents__shredded_at__isnull=True).distinct().order_by("pk")
    for digest in kept.values_list("pk", flat=True).iterator():
        if not (Path(settings.CEIR_DOCUMENTS) / digest[:2] / digest).is_file():
            yield digest


def _unreadable() -> Iterator[str]:
    """Fields with values that the keys here do not open: of each the oldest and the newest value."""
    ring = KeyRing.load(settings.CEIR_KEYS)
    for model in models_with_personal_data():
        for field in encrypted_fields(model):
            for order in ("pk", "-pk"):
                row = (
                    model._default_manager.filter(**{f"{field.name}__isnull": False}).order_by(order).first()
                )
                why = "" if row is None else _why_not(ring, field.label, getattr(row, field.attname).stored)
                if why:
                    yield f"{model._meta.label}.{field.name}: {why}"
                    break


def _why_not(ring: KeyRing, label: str, stored: bytes) -> str:
    try:
        ring.decrypt(label, stored)
    except PersonalKeyError as error:
        return error.detail
    return ""
