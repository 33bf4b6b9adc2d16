"""Registrations end: by themselves when their time is over, unpaid, or because the holder gives them up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import SYSTEM, Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.devices.entering import NoDeviceError, device_of, retire
from ceir.registry.devices.models import Device
from ceir.registry.registrations.holding import registration_of
from ceir.registry.registrations.models import (
    DUTY_TRANSITIONS,
    TRANSITIONS,
    Duty,
    DutyState,
    Registration,
    State,
)
from ceir.registry.subscribers.finding import canonical, line_of
from ceir.registry.transitions import move


class NotYoursError(CeirError):
    """The device is not registered for whoever asks, or not at all: one message for both."""

    code: ClassVar[str] = "not_yours"


def end(registration: Registration, to: State, *, because: str, at: datetime) -> None:
    """End a locked registration; the caller records it."""
    move(registration, to, TRANSITIONS, str(registration).replace(":", " "))
    registration.ended_at, registration.ended_because = at, because
    registration.save()


def expire(at: datetime) -> int:
    """End what was for a time that is over, and what was not paid. Returns: how many.

    Nothing waits for this: what is over counts as over at once, wherever it is looked at.
    """
    ended = 0
    over = Registration.objects.filter(state=State.IN_FORCE.value, ends_at__lte=at)
    for key in over.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            registration = over.select_for_update().filter(pk=key).first()
            if registration is not None:
                record_settled([_expire(registration, at)], at)
                ended += 1
    unpaid = Duty.objects.filter(state=DutyState.ASSESSED.value, due_by__lte=at)
    for key, registration_key in unpaid.values_list("pk", "registration").iterator():
        with transaction.atomic():
            registration = Registration.objects.select_for_update().get(pk=registration_key)
            duty = unpaid.select_for_update().filter(pk=key).first()
            if duty is not None and registration.state == State.DUE.value:
                duty.registration = registration
                record_settled([_lapse(duty, at)], at)
                ended += 1
    return ended


@dataclass(frozen=True)
class Settled:
    """What ended by itself.

    Args:
        action, subject: as the record names them.
    """

    action: str
    subject: str


def settle_over(registration: Registration, at: datetime) -> Settled | None:
    """End a locked registration whose time is over, before the sweep comes by.

    Returns: what the caller gives to `record_settled` once it has locked all it needs; None: it is not over.
    """
    if registration.state == State.IN_FORCE.value and registration.ends_at and registration.ends_at <= at:
        return _expire(registration, at)
    if registration.state == State.DUE.value:
        duty = Duty.objects.select_for_update().get(registration=registration)
        if duty.state == DutyState.ASSESSED.value and duty.due_by <= at:
            duty.registration = registration
            return _lapse(duty, at)
    return None


def record_settled(settled: Iterable[Settled], at: datetime) -> None:
    """Record what ended by itself."""
    for one in settled:
        record(SYSTEM, one.action, one.subject, at=at)


def give_up(imei: Imei, *, proof: Proof | None, actor: Actor, at: datetime) -> Registration:
    """The holder says that the device is his no more: sold abroad, broken, given away.

    Args:
        proof: that the holder's number is in his hands, for `Purpose.DEVICES`; None: for an organisation's
            own device, by one of its people.

    Raises:
        NotYoursError: it is not registered for this holder.
        CodeError: the number is not proven.
    """
    require(actor, Permission.DEVICE_REGISTER, owner=actor.organisation)
    if proof is not None:
        check(proof, Purpose.DEVICES, actor=actor, at=at)
    with transaction.atomic():
        _, registration = held_by(imei, proof, actor)
        end(registration, State.ENDED, because="given_up", at=at)
        if proof is not None:
            use(proof, Purpose.DEVICES, actor=actor, at=at)
        record(actor, "registration.given_up", str(registration), at=at)
    return registration


def held_by(imei: Imei, proof: Proof | None, actor: Actor) -> tuple[Device, Registration]:
    """The device with an IMEI and its registration, both locked, if whoever asks is the holder.

    Raises:
        NotYoursError: it is another's, nobody's, or there is none.
    """
    try:
        device = device_of(imei, lock=True)
    except NoDeviceError as error:
        raise not_yours() from error
    registration = registration_of(device, lock=True)
    if registration is None or not holds(registration, proof, actor):
        raise not_yours()
    return device, registration


def holds(registration: Registration, proof: Proof | None, actor: Actor) -> bool:
    """Whether whoever proved a number, or else acts for an organisation, is the holder."""
    if proof is None:
        consumer = actor.acts_as is Role.CONSUMER
        mine = registration.organisation_id is not None and registration.organisation_id == actor.organisation
        return mine and not consumer
    line = line_of(proof.number)
    if line is None or registration.person is None:
        return False
    return canonical(line.person).pk == canonical(registration.person).pk


def not_yours() -> NotYoursError:
    """The one refusal for what is another's, what nobody has, and what does not exist."""
    return NotYoursError(
        "No device with this IMEI is registered for you.", "Compare the digits; dial *#06# on it."
    )


def refuse(registrations: list[Registration], *, because: str, at: datetime) -> None:
    """Put locked registrations away that were never in force, and free their devices' identifiers."""
    for registration in registrations:
        end(registration, State.REFUSED, because=because, at=at)
    retire([registration.device_id for registration in registrations], because=because, at=at)


def _expire(registration: Registration, at: datetime) -> Settled:
    end(registration, State.EXPIRED, because="time_over", at=at)
    return Settled("registration.expired", str(registration))


def _lapse(duty: Duty, at: datetime) -> Settled:
    move(duty, DutyState.LAPSED, DUTY_TRANSITIONS, str(duty).replace(":", " "))
    duty.save()
    end(duty.registration, State.ENDED, because="not_paid", at=at)
    return Settled("duty.lapsed", str(duty))
