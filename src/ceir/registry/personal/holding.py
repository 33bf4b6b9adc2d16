"""Legal holds: while one is in force nothing of its subject is shredded."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.personal.finding import models_with_personal_data
from ceir.registry.personal.models import LegalHold
from ceir.registry.personal.retention import retention_of


class HoldError(CeirError):
    """A legal hold cannot be made or ended."""

    code: ClassVar[str] = "legal_hold"


def hold(subject: str, *, reason: str, actor: Actor, at: datetime) -> LegalHold:
    """Keep everything of a subject until the hold is ended.

    Once this returns nothing more is shredded: the record is appended to first, and whoever shreds appends to
    it before looking for holds, so that one waits for the other.

    Args:
        subject: as the record names it: `case:12`.

    Raises:
        PermissionDeniedError: the actor may not.
        HoldError: there is no such thing, or it is held already.
    """
    require(actor, Permission.LEGAL_HOLD)
    _require_subject(subject)
    kept = free_text(reason, "The reason of a hold", 300, needed=True)
    try:
        with transaction.atomic():
            record(actor, "personal.held", subject, at=at, basis=kept)
            return LegalHold.objects.create(subject=subject, reason=kept, held_by=actor.id, held_at=at)
    except IntegrityError as error:
        raise HoldError(f"{subject} is held already.", "One hold is enough; end it only for all.") from error


def end_hold(subject: str, *, reason: str, actor: Actor, at: datetime) -> None:
    """Let the days count again.

    Raises:
        PermissionDeniedError: the actor may not.
        HoldError: it is not held.
    """
    require(actor, Permission.LEGAL_HOLD)
    kept = free_text(reason, "The reason to end a hold", 300, needed=True)
    with transaction.atomic():
        if not LegalHold.objects.filter(subject=subject, ended_at__isnull=True).update(ended_at=at):
            raise HoldError(f"{subject} is not held.", "Look at what the record says about it.")
        record(actor, "personal.released", subject, at=at, basis=kept)


def held(subjects: Iterable[str]) -> frozenset[str]:
    """Those of them that are held."""
    found = LegalHold.objects.filter(subject__in=list(subjects), ended_at__isnull=True)
    return frozenset(found.values_list("subject", flat=True))


def _require_subject(subject: str) -> None:
    """Refuse what is not there: a hold on a mistyped subject would keep nothing."""
    kind, _, number = subject.partition(":")
    for model in models_with_personal_data():
        retention = retention_of(model)
        of_kind = retention is not None and (retention.kind, retention.number) == (kind, "pk")
        # In the one spelling in which whoever shreds looks for it: a hold on case:012 would keep nothing.
        as_recorded = number.isascii() and number.isdecimal() and str(int(number)) == number
        if of_kind and as_recorded and model._default_manager.filter(pk=number).exists():
            return
    raise HoldError(
        f"There is no {subject} with personal data.", "Write it as the record does, like case:12."
    )
