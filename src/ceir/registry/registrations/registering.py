"""Registering single devices: a person his own, a traveller for a while."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import ClassVar

from django.db import transaction
from django.utils.timezone import get_current_timezone

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.devices import identifying
from ceir.registry.devices.entering import IdentifierTakenError, enter, imeis_of, living_bearers, retire
from ceir.registry.devices.identifying import Identifiers, Model, ModelOf
from ceir.registry.devices.models import Device
from ceir.registry.registrations.ending import Settled, end, record_settled, settle_over
from ceir.registry.registrations.holding import Holding, check_quota, registered_before, registration_of
from ceir.registry.registrations.models import (
    Duty,
    DutyState,
    Kind,
    Registration,
    State,
    Submission,
)
from ceir.registry.registrations.policies import ArrivalOf, DutyBasis, Owed, RegistrationPolicy
from ceir.registry.standing import StandingOf, standings
from ceir.registry.subscribers.finding import canonical, known_as, line_proven, name_person
from ceir.registry.subscribers.reporting import Holder

_CENT = Decimal("0.01")


class RegistrationRefusedError(CeirError):
    """The device cannot be registered, or not in this way."""

    code: ClassVar[str] = "registration_refused"


@dataclass(frozen=True)
class Surroundings:
    """What registering asks others about.

    Args:
        model_of: the TAC list.
        standing_of: the lists and cases.
    """

    model_of: ModelOf
    standing_of: StandingOf


def register_own(
    identifiers: Identifiers,
    *,
    proof: Proof,
    policy: RegistrationPolicy,
    asks: Surroundings,
    actor: Actor,
    at: datetime,
) -> Registration:
    """A person registers a device of his own; he proved a number of his for `Purpose.REGISTRATION`.

    A device whose registration is over is taken over with its history.

    Returns: in force, or due if the country wants something paid first.

    Raises:
        CodeError: the number is not proven.
        IdentifiersRefusedError, IdentifierTakenError, QuotaExceededError: as they say.
        RegistrationRefusedError: it is stolen or lost.
    """
    require(actor, Permission.DEVICE_REGISTER, owner=actor.organisation)
    check(proof, Purpose.REGISTRATION, actor=actor, at=at)
    model = _checked(identifiers, policy, asks)
    with transaction.atomic():
        line = line_proven(proof.number, at=at)
        holding = Holding(person=line.person).lock()
        registration, settled = _register(
            identifiers, model, holding, Kind.PERSON, None, policy=policy, actor=actor, at=at
        )
        use(proof, Purpose.REGISTRATION, actor=actor, at=at)
        _record(registration, settled, actor, at)
    return registration


def register_traveller(
    identifiers: Identifiers,
    traveller: Holder,
    *,
    proof: Proof | None = None,
    arrival_of: ArrivalOf | None = None,
    policy: RegistrationPolicy,
    asks: Surroundings,
    actor: Actor,
    at: datetime,
) -> Registration:
    """A traveller registers a device for the days that the policy gives; then it ends by itself.

    Why an arrival: passport numbers of strangers were used to register phones by the thousand. Officers and
    customs see the passport; anybody else needs the border to know of the arrival.

    Args:
        traveller: his passport.
        proof: of a number he uses here, for `Purpose.REGISTRATION`; needed unless an officer or customs acts.
        arrival_of: asks the border.

    Raises:
        RegistrationRefusedError: nobody saw the passport and the border knows of no arrival; or the days are
            over already; or the device is stolen or lost.
        CodeError, IdentifiersRefusedError, IdentifierTakenError, QuotaExceededError: as they say.
    """
    require(actor, Permission.DEVICE_REGISTER, owner=actor.organisation)
    seen_by = actor.acts_as in (Role.OFFICER, Role.CUSTOMS)
    if proof is not None:
        check(proof, Purpose.REGISTRATION, actor=actor, at=at)
    arrived = arrival_of(traveller) if arrival_of is not None else None
    if not seen_by and (proof is None or arrived is None):
        raise RegistrationRefusedError(
            "The border knows of no arrival with this passport.",
            "Show the passport to customs or to the regulator: they register the device.",
        )
    model = _checked(identifiers, policy, asks)
    since = at if arrived is None else min(at, datetime.combine(arrived, time.min, get_current_timezone()))
    ends_at = since + timedelta(days=policy.traveller_days)
    if ends_at <= at:
        raise RegistrationRefusedError(
            f"The {policy.traveller_days} days since the arrival are over.",
            "Register the device as a resident does.",
        )
    with transaction.atomic():
        line = line_proven(proof.number, at=at) if proof is not None else None
        holding = Holding(person=known_as(traveller.document, traveller.name, at=at)).lock()
        if line is not None:
            name_person(line, traveller.document, traveller.name)
        registration, settled = _register(
            identifiers, model, holding, Kind.TRAVELLER, ends_at, policy=policy, actor=actor, at=at
        )
        if proof is not None:
            use(proof, Purpose.REGISTRATION, actor=actor, at=at)
        _record(registration, settled, actor, at)
    return registration


def require_kind(kind: Kind, policy: RegistrationPolicy) -> None:
    """Go on if there are registrations of a kind in this country.

    Raises:
        RegistrationRefusedError: there are none.
    """
    if kind not in policy.kinds:
        raise RegistrationRefusedError(
            f"There are no registrations of the kind {kind.value} in this country.",
            f"There are: {', '.join(sorted(one.value for one in policy.kinds))}.",
        )


def assess(registration: Registration, owed: Owed, policy: RegistrationPolicy, at: datetime) -> Duty:
    """The duty of a registration, not yet saved.

    Raises:
        RegistrationRefusedError: the country's calculation gave what is no amount.
    """
    if owed.amount <= 0 or owed.amount != owed.amount.quantize(_CENT) or len(owed.currency) != 3:
        raise RegistrationRefusedError(
            "The duty that was calculated is no amount of money.", "Tell the regulator: its rule is wrong."
        )
    return Duty(
        registration=registration,
        amount=owed.amount,
        currency=owed.currency,
        ground=owed.ground[:200],
        state=DutyState.ASSESSED.value,
        assessed_at=at,
        due_by=at + timedelta(days=policy.pay_within_days),
    )


def _checked(identifiers: Identifiers, policy: RegistrationPolicy, asks: Surroundings) -> Model | None:
    model = identifying.check(identifiers, asks.model_of, policy.strictness)
    found = standings(identifiers.imeis, asks.standing_of)
    if any(standing.missing for standing in found.values()):
        raise RegistrationRefusedError(
            "The device is reported stolen or lost.",
            "If it is yours and you have it back, say so where you reported it; else bring it to the police.",
        )
    return model


def _register(
    identifiers: Identifiers,
    model: Model | None,
    holding: Holding,
    kind: Kind,
    ends_at: datetime | None,
    *,
    policy: RegistrationPolicy,
    actor: Actor,
    at: datetime,
) -> tuple[Registration, list[Settled]]:
    require_kind(kind, policy)
    check_quota(holding, kind, 1, policy.quotas.get(kind), at=at)
    owed = None
    if policy.duty_of is not None:
        earlier = registered_before(holding)
        owed = policy.duty_of(DutyBasis(kind, model, len(identifiers.imeis), earlier, at))
    submission = Submission.objects.create(
        kind=kind.value,
        person=holding.person,
        organisation_id=holding.organisation,
        devices=1,
        entered_by=actor.id,
        entered_at=at,
    )
    device, settled = _free_device(identifiers, model, holding, at)
    if device is None:
        device = enter(identifiers, model, because=str(submission), at=at)
    registration = Registration.objects.create(
        submission=submission,
        device=device,
        kind=kind.value,
        person=holding.person,
        organisation_id=holding.organisation,
        state=(State.DUE if owed else State.IN_FORCE).value,
        entered_at=at,
        begins_at=None if owed else at,
        ends_at=ends_at,
    )
    if owed is not None:
        assess(registration, owed, policy, at).save()
    return registration, settled


def _free_device(
    identifiers: Identifiers, model: Model | None, holding: Holding, at: datetime
) -> tuple[Device | None, list[Settled]]:
    """The living device with exactly these IMEIs that nobody holds any more; others that are in the way and
    that nobody holds are retired.

    Raises:
        IdentifierTakenError: somebody holds one that is in the way.
    """
    free: Device | None = None
    settled: list[Settled] = []
    for device in living_bearers(identifiers, model):
        registration = registration_of(device, lock=True)
        if registration is not None:
            over = settle_over(registration, at)
            if over is not None:
                settled.append(over)
            elif registration.disowned_at is not None:
                end(registration, State.ENDED, because="somebody's_now", at=at)
            else:
                raise _held(registration, holding)
        if set(imeis_of(device)) == set(identifiers.imeis):
            free = device
        else:
            retire([device.pk], because="entered_anew", at=at)
    return free, settled


def _held(registration: Registration, holding: Holding) -> IdentifierTakenError:
    person = registration.person
    if person is not None and holding.person is not None and canonical(person).pk == holding.person.pk:
        return IdentifierTakenError("The device is registered for you already.", "There is nothing to do.")
    return IdentifierTakenError(
        "The device is registered already.",
        "Ask whoever gave it to you to transfer it; if nobody can, say so and it is looked into.",
    )


def _record(registration: Registration, settled: list[Settled], actor: Actor, at: datetime) -> None:
    record_settled(settled, at)
    record(
        actor,
        "registration.entered",
        str(registration),
        at=at,
        detail={"kind": registration.kind, "state": registration.state},
    )
