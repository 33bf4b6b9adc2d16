"""Audits of the market: samples taken from sale, what was found of each, and what follows from it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import ClassVar

from django.db import transaction
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.type_approvals.models import (
    Action,
    Aspect,
    Certificate,
    Finding,
    FollowUp,
    LabReport,
    Sample,
    Surveillance,
    SurveillanceState,
)

TRANSITIONS: Mapping[SurveillanceState, frozenset[SurveillanceState]] = {
    SurveillanceState.PLANNED: frozenset({SurveillanceState.BEGUN, SurveillanceState.CLOSED}),
    SurveillanceState.BEGUN: frozenset({SurveillanceState.CLOSED}),
    SurveillanceState.CLOSED: frozenset(),
}
"""From planned to closed: nothing was for sale there."""


class SurveillanceRefusedError(CeirError):
    """An audit of the market cannot go on like this."""

    code: ClassVar[str] = "surveillance_refused"


def plan(number: str, place: str, on: date, *, actor: Actor, at: datetime) -> Surveillance:
    """Plan an audit.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: the number is taken.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    number = free_text(number, "An audit's number", 64, needed=True)
    with transaction.atomic():
        surveillance, made = Surveillance.objects.get_or_create(
            number=number,
            defaults={
                "place": free_text(place, "A place", 200, needed=True),
                "on": on,
                "planned_by": actor.id,
                "planned_at": at,
            },
        )
        if not made:
            raise SurveillanceRefusedError(f"There is an audit {number} already.", "Give it another number.")
        record(actor, "surveillance.planned", f"surveillance:{surveillance.pk}", at=at)
    return surveillance


def take_sample(
    surveillance_id: int,
    manufacturer: str,
    model: str,
    imei: Imei | None,
    taken_from: str,
    *,
    actor: Actor,
    at: datetime,
) -> Sample:
    """Note a device that was taken from sale; with the first one the audit has begun.

    Args:
        manufacturer, model: as labelled.
        imei: that it shows; None: none.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: the audit is closed or not there.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    with transaction.atomic():
        surveillance = _open(surveillance_id)
        if surveillance.state == SurveillanceState.PLANNED.value:
            _move(surveillance, SurveillanceState.BEGUN)
        sample = Sample.objects.create(
            surveillance=surveillance,
            manufacturer=free_text(manufacturer, "A manufacturer", 128, needed=True),
            model=free_text(model, "A model", 128, needed=True),
            imei=None if imei is None else imei.number,
            taken_from=free_text(taken_from, "A shop", 200, needed=True),
            taken_at=at,
        )
        record(actor, "surveillance.sampled", f"surveillance:{surveillance.pk}", at=at,
               detail={"sample": sample.pk})  # fmt: skip
    return sample


def find(
    sample_id: int,
    aspect: Aspect,
    *,
    faulty: bool,
    text: str,
    report: LabReport | None = None,
    actor: Actor,
    at: datetime,
) -> Finding:
    """Note what was found of a sample in one aspect, once.

    Args:
        report: of the laboratory that it was found by.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: the audit is closed, or something was found of this aspect already.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    with transaction.atomic():
        sample = Sample.objects.filter(pk=sample_id).first()
        if sample is None:
            raise SurveillanceRefusedError(f"There is no sample {sample_id}.", "Note the sample first.")
        _open(sample.surveillance_id)
        finding, made = Finding.objects.get_or_create(
            sample=sample,
            aspect=aspect.value,
            defaults={
                "faulty": faulty,
                "text": free_text(text, "A finding", 1000, needed=True, lines=True),
                "report": report,
                "found_by": actor.id,
                "found_at": at,
            },
        )
        if not made:
            raise SurveillanceRefusedError(
                f"The {aspect.value} of sample {sample_id} was judged already.", "Take another sample."
            )
        record(actor, "surveillance.found", f"surveillance:{sample.surveillance_id}", at=at,
               detail={"sample": sample.pk, "aspect": aspect.value, "faulty": faulty})  # fmt: skip
    return finding


def follow_up(
    surveillance_id: int,
    action: Action,
    text: str,
    due_on: date,
    certificate: Certificate | None = None,
    *,
    actor: Actor,
    at: datetime,
) -> FollowUp:
    """Note what must be done, and by when.

    Args:
        certificate: that it is about; needed for a suspension, which is then proposed by itself.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: the audit is closed, the day is past, or the certificate is missing.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    if due_on < localdate(at):
        raise SurveillanceRefusedError("The day is past.", "Give a day to come.")
    if action is Action.SUSPENSION and certificate is None:
        raise SurveillanceRefusedError("Nothing is named that would be suspended.", "Name the certificate.")
    with transaction.atomic():
        surveillance = _open(surveillance_id)
        made = FollowUp.objects.create(
            surveillance=surveillance,
            action=action.value,
            text=free_text(text, "A follow-up", 500, needed=True),
            due_on=due_on,
            certificate=certificate,
            asked_by=actor.id,
        )
        record(actor, "surveillance.follow_up", f"surveillance:{surveillance.pk}", at=at,
               detail={"follow_up": made.pk, "action": action.value})  # fmt: skip
    return made


def done(follow_up_id: int, outcome: str, *, actor: Actor, at: datetime) -> FollowUp:
    """Note what came of a follow-up, once.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: there is none, or it was done.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    with transaction.atomic():
        found = FollowUp.objects.select_for_update().filter(pk=follow_up_id, done_at__isnull=True).first()
        if found is None:
            raise SurveillanceRefusedError(f"Follow-up {follow_up_id} is not open.", "List those that are.")
        found.done_at, found.outcome = at, free_text(outcome, "An outcome", 500, needed=True)
        found.save(update_fields=["done_at", "outcome"])
        record(actor, "surveillance.done", f"surveillance:{found.surveillance_id}", at=at,
               detail={"follow_up": found.pk})  # fmt: skip
    return found


def close(surveillance_id: int, conclusion: str, *, actor: Actor, at: datetime) -> Surveillance:
    """Close an audit.

    Raises:
        PermissionDeniedError: the actor may not.
        SurveillanceRefusedError: a sample was not judged, a fault has no follow-up, or one is open.
    """
    require(actor, Permission.SURVEILLANCE_MANAGE)
    with transaction.atomic():
        surveillance = _open(surveillance_id)
        unjudged = surveillance.samples.filter(findings__isnull=True).count()
        if unjudged:
            raise SurveillanceRefusedError(
                f"{unjudged} samples were not judged.", "Note what was found of each."
            )
        if surveillance.follow_ups.filter(done_at__isnull=True).exists():
            raise SurveillanceRefusedError("Follow-ups are open.", "Note what came of each.")
        faults = Finding.objects.filter(sample__surveillance=surveillance, faulty=True).exists()
        if faults and not surveillance.follow_ups.exists():
            raise SurveillanceRefusedError("Faults were found and nothing followed.", "Note a follow-up.")
        surveillance.conclusion = free_text(conclusion, "A conclusion", 500, needed=True)
        surveillance.closed_at = at
        _move(surveillance, SurveillanceState.CLOSED)
        record(actor, "surveillance.closed", f"surveillance:{surveillance.pk}", at=at)
    return surveillance


def _open(surveillance_id: int) -> Surveillance:
    surveillance = Surveillance.objects.select_for_update().filter(pk=surveillance_id).first()
    if surveillance is None or surveillance.state == SurveillanceState.CLOSED.value:
        raise SurveillanceRefusedError(f"Audit {surveillance_id} is not open.", "Plan another.")
    return surveillance


def _move(surveillance: Surveillance, to: SurveillanceState) -> None:
    if to not in TRANSITIONS[SurveillanceState(surveillance.state)]:
        raise SurveillanceRefusedError(
            f"Audit {surveillance.number} is {surveillance.state} and cannot become {to.value}.",
            "Plan another.",
        )
    surveillance.state = to.value
    surveillance.save()
