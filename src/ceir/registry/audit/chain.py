"""Appending to the chain and holding it against itself."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.actors import Actor
from ceir.registry.audit.models import Entry, Head

BEGINNING = bytes(32)
"""What stands before the first entry."""


class AuditBrokenError(CeirError):
    """The record was changed by other means than this program."""

    code: ClassVar[str] = "audit_broken"


@dataclass(frozen=True)
class Mark:
    """A place of the chain that somebody outside may keep, to see later that it still leads there."""

    sequence: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest.hex()}"


def record(
    actor: Actor,
    action: str,
    subject: str,
    *,
    at: datetime,
    basis: str = "",
    detail: Mapping[str, object] | None = None,
) -> Entry:
    """Append what was done or read; within a transaction, so that it is kept exactly when the deed is.

    Args:
        action: what, as `noun.verb`.
        subject: on what, as `kind:id`.
        at: aware moment.
        detail: JSON values; never personal data in clear.
    """
    with transaction.atomic():
        head = Head.objects.select_for_update().get(pk=1)
        entry = Entry(
            sequence=head.sequence + 1,
            at=at.astimezone(UTC),
            actor=actor.id,
            role=actor.role,
            organisation=actor.organisation,
            action=action,
            subject=subject,
            basis=basis,
            detail=json.dumps(detail or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
            previous=bytes(head.digest),
        )
        entry.digest = digest_of(entry)
        entry.save(force_insert=True)
        head.sequence, head.digest = entry.sequence, entry.digest
        head.save()
    return entry


def digest_of(entry: Entry) -> bytes:
    """SHA-256 over an entry's fields and the digest before: canonical JSON, moments in microseconds."""
    fields = [
        entry.sequence,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.role,
        entry.organisation,
        entry.action,
        entry.subject,
        entry.basis,
        entry.detail,
        bytes(entry.previous).hex(),
    ]
    return hashlib.sha256(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def verify(marks: tuple[Mark, ...] = ()) -> Mark:
    """Walk the whole chain.

    Args:
        marks: places that must lie on it.

    Returns: where it ends.

    Raises:
        AuditBrokenError: an entry was changed, removed or put in, or a mark is not on the chain.
    """
    wanted = {mark.sequence: mark for mark in marks}
    last = Mark(0, BEGINNING)
    for entry in _entries():
        if entry.sequence != last.sequence + 1:
            raise _broken(last.sequence + 1, "is missing")
        if bytes(entry.previous) != last.digest or bytes(entry.digest) != digest_of(entry):
            raise _broken(entry.sequence, "was changed")
        last = Mark(entry.sequence, bytes(entry.digest))
        mark = wanted.pop(entry.sequence, None)
        if mark is not None and mark.digest != last.digest:
            raise _broken(entry.sequence, "is not the one that was marked")
    head = Head.objects.get(pk=1)
    if (head.sequence, bytes(head.digest)) != (last.sequence, last.digest):
        raise _broken(head.sequence, "is missing: the record ended later")
    if wanted:
        raise _broken(min(wanted), "was marked and is missing")
    return last


def _entries() -> Iterator[Entry]:
    return Entry.objects.order_by("sequence").iterator(chunk_size=2000)


def _broken(sequence: int, what: str) -> AuditBrokenError:
    return AuditBrokenError(
        f"Entry {sequence} of the record {what}.", "Compare with a back-up, and find out who had access."
    )
