"""Certificates: what they say, the states they go through, and which TACs they cover on a day."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction
from django.db.models import Q

from ceir.errors import CeirError
from ceir.identifiers import Tac
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.type_approvals.models import (
    Certificate,
    CertificateEvent,
    CertificateState,
    CertifiedModel,
    CertifiedTac,
    Standard,
)

MOST_TACS = 1000
"""Of one certificate: models of one family; a list of all models of a maker is not one type."""

TRANSITIONS: Mapping[CertificateState, frozenset[CertificateState]] = {
    CertificateState.DRAFT: frozenset({CertificateState.VALID, CertificateState.DROPPED}),
    CertificateState.DROPPED: frozenset(),
    CertificateState.VALID: frozenset({CertificateState.SUSPENDED, CertificateState.WITHDRAWN}),
    CertificateState.SUSPENDED: frozenset({CertificateState.VALID, CertificateState.WITHDRAWN}),
    CertificateState.WITHDRAWN: frozenset(),
}
"""Where a certificate may go from where it stands; all but dropping a draft takes two people."""


class CertificateRefusedError(CeirError):
    """What a certificate says does not hold together."""

    code: ClassVar[str] = "certificate_refused"


class CertificateStateError(CeirError):
    """A certificate cannot go there from where it stands."""

    code: ClassVar[str] = "certificate_state"


@dataclass(frozen=True)
class ModelEntry:
    """A model with its TACs, as somebody enters it."""

    manufacturer: str
    name: str
    tacs: tuple[Tac, ...]


@dataclass(frozen=True)
class Wording:
    """What a certificate says.

    Args:
        standards: designations with edition.
        valid_until: last day; None: open.
    """

    holder: str
    models: tuple[ModelEntry, ...]
    standards: tuple[str, ...]
    valid_from: date
    valid_until: date | None = None
    holder_organisation: Organisation | None = None


def draft(number: str, wording: Wording, *, actor: Actor, at: datetime) -> Certificate:
    """Enter a certificate that is not yet in force.

    Raises:
        PermissionDeniedError: the actor may not.
        CertificateRefusedError: the number is taken, or what it says does not hold together.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    number = free_text(number, "A certificate's number", 64, needed=True)
    with transaction.atomic():
        certificate, made = Certificate.objects.get_or_create(
            number=number,
            defaults={
                "holder": "",
                "valid_from": wording.valid_from,
                "drafted_by": actor.id,
                "drafted_at": at,
            },
        )
        if not made:
            raise CertificateRefusedError(f"There is a certificate {number} already.", "Change that draft.")
        _write(certificate, wording)
        record(actor, "approval.drafted", f"certificate:{certificate.pk}", at=at, detail={"number": number})
    return certificate


def redraft(certificate_id: int, wording: Wording, *, actor: Actor, at: datetime) -> Certificate:
    """Change what a draft says; a proposal to issue it counts no more.

    Raises:
        PermissionDeniedError: the actor may not.
        CertificateStateError: it is no draft any more.
        CertificateRefusedError: what it says does not hold together.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    with transaction.atomic():
        certificate = locked(certificate_id)
        if certificate.state != CertificateState.DRAFT.value:
            raise CertificateStateError(
                f"Certificate {certificate.number} is {certificate.state}.",
                "Only a draft is changed; extend it.",
            )
        certificate.models.all().delete()
        certificate.standards.all().delete()
        certificate.revision += 1
        _write(certificate, wording)
        record(actor, "approval.redrafted", f"certificate:{certificate.pk}", at=at,
               detail={"revision": certificate.revision})  # fmt: skip
    return certificate


def drop(certificate_id: int, *, actor: Actor, reason: str, at: datetime) -> Certificate:
    """Give a draft up.

    Raises:
        PermissionDeniedError: the actor may not.
        CertificateStateError: it is no draft any more.
    """
    require(actor, Permission.APPROVAL_PROPOSE)
    with transaction.atomic():
        certificate = locked(certificate_id)
        why = free_text(reason, "A reason", 500, needed=True)
        move(certificate, CertificateState.DROPPED, reason=why, asked_by=actor.id, actor=actor, at=at)
    return certificate


def move(
    certificate: Certificate,
    to: CertificateState,
    *,
    reason: str,
    asked_by: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Bring a locked certificate into another state; its history grows by what happened and why.

    Only for this package: who may do it, and that two people did, has been seen to.

    Raises:
        CertificateStateError: the table of transitions has no such one.
    """
    before = CertificateState(certificate.state)
    if to not in TRANSITIONS[before]:
        could = ", ".join(sorted(state.value for state in TRANSITIONS[before])) or "nothing else"
        raise CertificateStateError(
            f"Certificate {certificate.number} is {before.value} and cannot become {to.value}.",
            f"It can become: {could}.",
        )
    certificate.state = to.value
    certificate.save(update_fields=["state"])
    CertificateEvent.objects.create(
        certificate=certificate,
        at=at,
        before=before.value,
        after=to.value,
        reason=reason,
        asked_by=asked_by,
        decided_by=actor.id,
    )
    record(
        actor, f"approval.{to.value}", f"certificate:{certificate.pk}", at=at, basis=reason,
        detail={"before": before.value, "asked_by": asked_by},
    )  # fmt: skip


def require_issuable(certificate: Certificate) -> None:
    """Refuse to put in force what is incomplete or was measured to fail.

    Raises:
        CertificateRefusedError: no standard, no TAC, or a report of a laboratory that was not passed.
    """
    if not certificate.standards.exists() or not certificate.tacs.exists():
        raise CertificateRefusedError(
            f"Certificate {certificate.number} names no standard or no TAC.", "Complete the draft."
        )
    for report in certificate.lab_reports.filter(replaced_by__isnull=True).prefetch_related("measurements"):
        if not report.passed:
            raise CertificateRefusedError(
                f"Report {report.number} has measurements outside their limits.",
                "Attach the report that replaces it, or drop the draft.",
            )


def extend(certificate: Certificate, models: Sequence[ModelEntry], valid_until: date | None) -> None:
    """Let a locked certificate say more: further models or TACs, a later last day. Only for this package.

    Raises:
        CertificateRefusedError: it says so already, or the day is earlier than the one before.
    """
    if valid_until is not None:
        if certificate.valid_until is None or valid_until < certificate.valid_until:
            raise CertificateRefusedError(
                "An extension cannot end a certificate earlier.", "To end it, propose to withdraw it."
            )
        certificate.valid_until = valid_until
    _add_models(certificate, models)
    certificate.revision += 1
    certificate.save(update_fields=["valid_until", "revision"])


def approved_tacs(tacs: Collection[str], day: date) -> frozenset[str]:
    """Which of some TACs a certificate in force on a day covers."""
    found: set[str] = set()
    asked = sorted(set(tacs))
    for start in range(0, len(asked), 500):
        found.update(
            CertifiedTac.objects.filter(
                Q(certificate__valid_until__isnull=True) | Q(certificate__valid_until__gte=day),
                tac__in=asked[start : start + 500],
                certificate__state=CertificateState.VALID.value,
                certificate__valid_from__lte=day,
            ).values_list("tac", flat=True)
        )
    return frozenset(found)


def locked(certificate_id: int) -> Certificate:
    """A certificate that nobody else changes until the transaction ends.

    Raises:
        CertificateRefusedError: there is none.
    """
    certificate = Certificate.objects.select_for_update().filter(pk=certificate_id).first()
    if certificate is None:
        raise CertificateRefusedError(
            f"There is no certificate {certificate_id}.", "List those that there are."
        )
    return certificate


def _write(certificate: Certificate, wording: Wording) -> None:
    if wording.valid_until is not None and wording.valid_until < wording.valid_from:
        raise CertificateRefusedError(
            "The last day lies before the first.", "Give the days the other way round."
        )
    certificate.holder = free_text(wording.holder, "A holder", 200, needed=True)
    certificate.holder_organisation = wording.holder_organisation
    certificate.valid_from, certificate.valid_until = wording.valid_from, wording.valid_until
    certificate.save()
    standards = {free_text(text, "A standard", 100, needed=True) for text in wording.standards}
    Standard.objects.bulk_create(
        Standard(certificate=certificate, designation=text) for text in sorted(standards)
    )
    _add_models(certificate, wording.models)


def _add_models(certificate: Certificate, models: Sequence[ModelEntry]) -> None:
    there = set(certificate.tacs.values_list("tac", flat=True))
    if len(there) + sum(len(entry.tacs) for entry in models) > MOST_TACS:
        raise CertificateRefusedError(
            f"More than {MOST_TACS} TACs.", "Make a certificate a family of models."
        )
    for entry in models:
        model, _ = CertifiedModel.objects.get_or_create(
            certificate=certificate,
            manufacturer=free_text(entry.manufacturer, "A manufacturer", 128, needed=True),
            name=free_text(entry.name, "A model", 128, needed=True),
        )
        for tac in entry.tacs:
            if tac.is_test:
                raise CertificateRefusedError(
                    f"TAC {tac} is set aside for test equipment.", "Ask the maker for the model's own TAC."
                )
            if tac.digits in there:
                raise CertificateRefusedError(f"TAC {tac} is named twice.", "Name it with one model.")
            there.add(tac.digits)
            CertifiedTac.objects.create(certificate=certificate, model=model, tac=tac.digits)
