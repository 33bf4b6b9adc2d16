"""A device changes hands: who gives and who takes both prove their numbers, and a code passes between them.

Neither learns the other's number: nothing here returns or records one.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.allowing import Limits, allow_trying, note_wrong
from ceir.registry.codes.drawing import Draw, as_typed
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.devices.entering import NoDeviceError, device_of, imeis_of
from ceir.registry.devices.models import Device
from ceir.registry.notices.models import Event
from ceir.registry.notices.outbox import tell
from ceir.registry.personal.fields import keys
from ceir.registry.registrations.ending import end, held_by, holds, not_yours
from ceir.registry.registrations.holding import Holding, check_quota, in_force
from ceir.registry.registrations.models import (
    TRANSFER_TRANSITIONS,
    Kind,
    Registration,
    State,
    Submission,
    Transfer,
    TransferState,
)
from ceir.registry.registrations.policies import RegistrationPolicy
from ceir.registry.standing import StandingOf, standings
from ceir.registry.subscribers.finding import canonical, everyone, line_proven
from ceir.registry.subscribers.models import Line
from ceir.registry.transitions import move

_LETTERS = 8
_TRIES = 5


class TransferError(CeirError):
    """The device cannot be given or taken."""

    code: ClassVar[str] = "transfer_refused"


@dataclass(frozen=True)
class Offered:
    """A device on offer.

    Args:
        text: the code that whoever gives hands to whoever takes; kept nowhere.
    """

    transfer: int
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Offered(transfer={self.transfer})"


def offer(
    imei: Imei,
    *,
    proof: Proof | None,
    draw: Draw,
    standing_of: StandingOf,
    policy: RegistrationPolicy,
    actor: Actor,
    at: datetime,
) -> Offered:
    """The holder gives a device away, to whoever brings the code.

    Args:
        proof: of the holder's number, for `Purpose.TRANSFER`; None: an organisation's own device, by one of
            its people: an importer sells it.

    Raises:
        NotYoursError: it is not registered for this holder.
        TransferError: something is held against it, its kind does not change hands, or it is on offer.
    """
    require(actor, Permission.DEVICE_TRANSFER, owner=actor.organisation)
    if proof is not None:
        check(proof, Purpose.TRANSFER, actor=actor, at=at)
    text = draw.letters(_LETTERS)
    try:
        with transaction.atomic():
            device, registration = held_by(imei, proof, actor)
            _check(device, registration, standing_of, policy, at)
            Transfer.objects.filter(
                registration=registration, state=TransferState.OFFERED.value, expires_at__lte=at
            ).update(state=TransferState.EXPIRED.value, ended_at=at)
            transfer = Transfer.objects.create(
                registration=registration,
                code=text,
                tries_left=_TRIES,
                state=TransferState.OFFERED.value,
                offered_by=actor.id,
                offered_at=at,
                expires_at=at + timedelta(days=policy.offer_days),
            )
            if proof is not None:
                use(proof, Purpose.TRANSFER, actor=actor, at=at)
            record(actor, "transfer.offered", str(transfer), at=at, detail={"of": str(registration)})
    except IntegrityError as error:
        raise TransferError(
            "The device is on offer already.", "Hand on the code you have, or withdraw the offer first."
        ) from error
    return Offered(transfer.pk, text, transfer.expires_at)


def accept(
    imei: Imei,
    given: str,
    *,
    proof: Proof,
    standing_of: StandingOf,
    policy: RegistrationPolicy,
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Registration:
    """Somebody takes a device that is offered to him: it is his from now on.

    A wrong code uses up a try of the offer for good; therefore this is a transaction of its own.

    Args:
        given: the code, as typed.
        proof: of a number of whoever takes, for `Purpose.TRANSFER`.

    Raises:
        TransferError: no device with this IMEI is on offer with this code; one message for all that can be
            wrong. Or something is held against it since.
        QuotaExceededError: who takes has too many.
        TooManyCodesError: too many wrong ones today.
    """
    require(actor, Permission.DEVICE_TRANSFER, owner=actor.organisation)
    check(proof, Purpose.TRANSFER, actor=actor, at=at)
    wanted = keys().keyed("transfer code", as_typed(given))
    with transaction.atomic(durable=True):
        # People before devices, as everywhere: two of them may exchange devices at the same moment.
        holding = Holding(person=line_proven(proof.number, at=at).person).lock()
        device, registration = _held(imei, at)
        transfer = _open(registration, at)
        right = transfer is not None and hmac.compare_digest(bytes(transfer.code), wanted)
        if transfer is not None and registration is not None and right:
            became = _hand_over(transfer, registration, device, holding, standing_of, policy, actor, at)
            allow_trying(actor, at, limits)
            use(proof, Purpose.TRANSFER, actor=actor, at=at)
            record(actor, "transfer.accepted", str(transfer), at=at, detail={"became": str(became)})
            _tell_both(transfer, registration, imei, proof, at)
            return became
        allow_trying(actor, at, limits)
        note_wrong(actor, at)
        if transfer is not None:
            transfer.tries_left -= 1
            if not transfer.tries_left:
                _close(transfer, TransferState.SPENT, at)
            transfer.save()
        record(actor, "transfer.wrong_code", str(transfer) if transfer else "transfer:none", at=at)
    raise TransferError(
        "No device with this IMEI is on offer with this code.",
        "Compare both with whoever gives it; after five wrong codes he has to offer it again.",
    )


def withdraw(transfer_id: int, *, proof: Proof | None, actor: Actor, at: datetime) -> None:
    """The holder takes an offer back.

    Args:
        proof: as in `offer`.

    Raises:
        NotYoursError: it is none of his.
        IllegalTransitionError: it is over.
    """
    require(actor, Permission.DEVICE_TRANSFER, owner=actor.organisation)
    if proof is not None:
        check(proof, Purpose.TRANSFER, actor=actor, at=at)
    with transaction.atomic():
        of_it = Transfer.objects.filter(pk=transfer_id).values("registration")
        registration = Registration.objects.select_for_update().filter(pk__in=of_it).first()
        if registration is None or not holds(registration, proof, actor):
            raise not_yours()
        transfer = Transfer.objects.select_for_update().get(pk=transfer_id)
        _close(transfer, TransferState.WITHDRAWN, at)
        transfer.save()
        record(actor, "transfer.withdrawn", str(transfer), at=at)


def expire(at: datetime) -> int:
    """Close offers that nobody took in time; they count as over before that. Returns: how many."""
    closed = 0
    late = Transfer.objects.filter(state=TransferState.OFFERED.value, expires_at__lte=at)
    for key in late.values_list("pk", flat=True).iterator():
        with transaction.atomic():
            transfer = late.select_for_update().filter(pk=key).first()
            if transfer is not None:
                _close(transfer, TransferState.EXPIRED, at)
                transfer.save()
                record(SYSTEM, "transfer.expired", str(transfer), at=at)
                closed += 1
    return closed


def _held(imei: Imei, at: datetime) -> tuple[Device | None, Registration | None]:
    """The device with an IMEI and its registration in force, both locked; none, if there is none."""
    try:
        device = device_of(imei, lock=True)
    except NoDeviceError:
        return None, None
    return device, in_force(at).select_for_update().filter(device=device).first()


def _open(registration: Registration | None, at: datetime) -> Transfer | None:
    if registration is None:
        return None
    return (
        Transfer.objects.select_for_update()
        .filter(registration=registration, state=TransferState.OFFERED.value, expires_at__gt=at)
        .first()
    )


def _hand_over(
    transfer: Transfer,
    registration: Registration,
    device: Device | None,
    holding: Holding,
    standing_of: StandingOf,
    policy: RegistrationPolicy,
    actor: Actor,
    at: datetime,
) -> Registration:
    assert device is not None
    assert holding.person is not None
    _check(device, registration, standing_of, policy, at)
    if registration.person is not None and canonical(registration.person).pk == holding.person.pk:
        raise TransferError("The device is yours already.", "Withdraw the offer if you want to keep it.")
    check_quota(holding, Kind.PERSON, 1, policy.transfers, at=at, transferred=True)
    end(registration, State.ENDED, because=str(transfer), at=at)
    submission = Submission.objects.create(
        kind=Kind.PERSON.value, person=holding.person, devices=1, entered_by=actor.id, entered_at=at
    )
    became = Registration.objects.create(
        submission=submission,
        device=device,
        kind=Kind.PERSON.value,
        person=holding.person,
        state=State.IN_FORCE.value,
        follows=registration,
        entered_at=at,
        begins_at=at,
        ends_at=registration.ends_at,
    )
    _close(transfer, TransferState.ACCEPTED, at)
    transfer.became = became
    transfer.save()
    return became


def _tell_both(
    transfer: Transfer, registration: Registration, imei: Imei, proof: Proof, at: datetime
) -> None:
    """Have who gave and who took told; each at his own number, neither of the other's."""
    words = {"imei": imei.printed}
    if registration.person is not None:
        lines = Line.objects.filter(everyone(canonical(registration.person)), ended_at=None)
        line = lines.order_by("-since", "-pk").first()
        if line is not None:
            tell(Event.TRANSFER_GIVEN, str(transfer), line.number, words, at=at)
    tell(Event.TRANSFER_TAKEN, str(transfer), proof.number, words, at=at)


def _check(
    device: Device,
    registration: Registration,
    standing_of: StandingOf,
    policy: RegistrationPolicy,
    at: datetime,
) -> None:
    if not in_force(at).filter(pk=registration.pk).exists():
        raise TransferError(
            f"The registration is {registration.state}: the device cannot change hands.",
            "See what it waits for, or register the device anew.",
        )
    if Kind(registration.kind) not in policy.transferable:
        raise TransferError(
            f"A device registered as {registration.kind} does not change hands.",
            "Whoever takes it registers it anew, after it was given up.",
        )
    found = standings(imeis_of(device), standing_of)
    if not all(standing.is_clear for standing in found.values()):
        raise TransferError(
            "Something is held against the device: it cannot change hands now.",
            "Ask for its status; it can be offered once that is settled.",
        )


def _close(transfer: Transfer, to: TransferState, at: datetime) -> None:
    move(transfer, to, TRANSFER_TRANSITIONS, str(transfer).replace(":", " "))
    transfer.ended_at = at
