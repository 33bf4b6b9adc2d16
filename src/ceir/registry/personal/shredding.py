"""Overwriting personal data whose days are over, or that a person wants gone."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from django.db import models, transaction
from django.db.models import Q

from ceir.identifiers import Imsi, Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.audit.chain import record
from ceir.registry.documents import keeping
from ceir.registry.documents.models import Content, Document
from ceir.registry.personal.fields import Access, EncryptedField
from ceir.registry.personal.finding import (
    encrypted_fields,
    keyed_fields,
    models_with_personal_data,
    rows_about,
)
from ceir.registry.personal.holding import held
from ceir.registry.personal.retention import Retention, retention_of

RETENTION = "retention"
"""The basis on which what is too old is shredded."""

_CHUNK = 1000


@dataclass(frozen=True)
class Erased:
    """What became of a person's data.

    Args:
        shredded: subjects of which it is gone.
        open: subjects that go on; it goes when they end.
        held: subjects under a legal hold.
    """

    shredded: tuple[str, ...]
    open: tuple[str, ...]
    held: tuple[str, ...]


def shred(at: datetime, *, actor: Actor = SYSTEM) -> Mapping[str, int]:
    """Overwrite with null what was kept longer than declared; done again it does nothing.

    A row a transaction: stopped at any moment, it goes on where it was.

    Returns: values shredded, by `model.field`; documents as `documents.Document`.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(actor, Permission.PERSONAL_SHRED)
    counts: Counter[str] = Counter()
    for model in models_with_personal_data():
        retention = retention_of(model)
        if retention is None:
            continue
        for row in _due_rows(model, retention, at):
            names = _due_names(row, retention, at)
            if _overwrite(
                row, retention, names, actor, at, RETENTION, partial(_are_due, names, retention, at)
            ):
                counts.update(f"{model._meta.label}.{name}" for name in names)
        if retention.documents_kept_days is not None:
            shredded = _shred_documents(model, retention, actor, at)
            counts.update({Document._meta.label: shredded} if shredded else {})
    return counts


def erase_about(who: Msisdn | Imsi, *, access: Access) -> Erased:
    """Overwrite what is kept about a person as far as it is not needed any more: its matter has ended.

    Args:
        access: who does it, and on whose request.

    Raises:
        PermissionDeniedError: the actor may not.
    """
    require(access.actor, Permission.SUBJECT_ACCESS)
    gone: set[str] = set()
    still_open: set[str] = set()
    under_hold: set[str] = set()
    for row in rows_about(who):
        retention = retention_of(type(row))
        if retention is None:
            continue
        subject = retention.subject(row)
        if retention.ended_at(row) is None:
            still_open.add(subject)
            continue
        names = [f.name for f in encrypted_fields(type(row)) if getattr(row, f.attname) is not None]
        if not _overwrite(
            row, retention, names, access.actor, access.at, access.basis, partial(_has_ended, retention)
        ):
            under_hold.add(subject)
            continue
        gone.add(subject)
        if retention.documents_kept_days is not None:
            for document in Document.objects.filter(subject=subject, shredded_at__isnull=True):
                _shred_document(document, access.actor, access.at, access.basis)
    return Erased(tuple(sorted(gone)), tuple(sorted(still_open)), tuple(sorted(under_hold)))


def _due_rows(model: type[models.Model], retention: Retention, at: datetime) -> Iterator[models.Model]:
    due = Q()
    for field in encrypted_fields(model):
        due |= Q(**{f"{field.name}__isnull": False, f"{retention.ended}__lt": _before(at, field)})
    keys = list(model._default_manager.filter(due).order_by("pk").values_list("pk", flat=True))
    for key in keys:
        row = model._default_manager.filter(pk=key).first()
        if row is not None:
            yield row


def _due_names(row: models.Model, retention: Retention, at: datetime) -> list[str]:
    ended = retention.ended_at(row)
    return [
        field.name
        for field in encrypted_fields(type(row))
        if ended is not None and ended < _before(at, field) and getattr(row, field.attname) is not None
    ]


def _are_due(names: list[str], retention: Retention, at: datetime, row: models.Model) -> bool:
    return set(names) <= set(_due_names(row, retention, at))


def _has_ended(retention: Retention, row: models.Model) -> bool:
    return retention.ended_at(row) is not None


def _before(at: datetime, field: EncryptedField) -> datetime:
    return at - timedelta(days=field.kept_days)


def _overwrite(
    row: models.Model,
    retention: Retention,
    names: list[str],
    actor: Actor,
    at: datetime,
    basis: str,
    is_due: Callable[[models.Model], bool],
) -> bool:
    """Overwrite values of a row, and its keyed hashes with the last; not while its subject is held."""
    model, subject = type(row), retention.subject(row)
    with transaction.atomic():
        rows = model._default_manager.filter(pk=row.pk)
        there = rows.select_for_update(of=("self",)).first()
        # Looked at again now that nobody else changes it: what it belongs to may go on after all.
        if there is None or not is_due(there):
            return False
        # Appended before looking for holds: whoever holds appends too, so that one waits for the other.
        record(actor, "personal.shredded", subject, at=at, basis=basis,
               detail={"model": model._meta.label, "fields": sorted(names)})  # fmt: skip
        if held([subject]):
            transaction.set_rollback(True)
            return False
        fresh = dict.fromkeys(names)
        left = [f.name for f in encrypted_fields(model) if f.name not in fresh]
        if not left or not rows.filter(_any_kept(left)).exists():
            fresh.update({field.name: None for field in keyed_fields(model)})
        rows.update(**fresh)
    return True


def _any_kept(names: list[str]) -> Q:
    kept = Q()
    for name in names:
        kept |= Q(**{f"{name}__isnull": False})
    return kept


def _shred_documents(model: type[models.Model], retention: Retention, actor: Actor, at: datetime) -> int:
    before = at - timedelta(days=retention.documents_kept_days or 0)
    kept = Document.objects.filter(subject__startswith=f"{retention.kind}:", shredded_at__isnull=True)
    documents = kept.order_by("pk").iterator(chunk_size=_CHUNK)
    count = 0
    while chunk := list(islice(documents, _CHUNK)):
        keys = {document.subject.partition(":")[2] for document in chunk}
        ended = model._default_manager.filter(pk__in=keys, **{f"{retention.ended}__lt": before})
        over = {f"{retention.kind}:{key}" for key in ended.values_list("pk", flat=True)}
        count += sum(_shred_document(d, actor, at, RETENTION) for d in chunk if d.subject in over)
    return count


def _shred_document(document: Document, actor: Actor, at: datetime, basis: str) -> bool:
    with transaction.atomic():
        # Whoever keeps the same octets locks them before the record is appended to: the same order here.
        Content.objects.select_for_update().get(pk=document.content_id)
        keeping.shred(document, actor=actor, at=at, reason=basis)
        if held([document.subject]):
            transaction.set_rollback(True)
            return False
    return True
