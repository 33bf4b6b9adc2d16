"""What stands with a number: my devices, and what somebody says is not his."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.identifiers import EquipmentIdentity, Imei, Msisdn
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check
from ceir.registry.devices.entering import NoDeviceError, device_of, imeis_of
from ceir.registry.free_text import free_text
from ceir.registry.registrations.ending import not_yours
from ceir.registry.registrations.holding import registration_of, usable
from ceir.registry.registrations.models import (
    LIVING,
    REVIEW_TRANSITIONS,
    Registration,
    Review,
    ReviewState,
    State,
)
from ceir.registry.subscribers.finding import canonical, everyone, line_of, line_proven
from ceir.registry.subscribers.models import Person
from ceir.registry.transitions import move


class ReviewError(CeirError):
    """The review cannot be opened or decided."""

    code: ClassVar[str] = "review_refused"


@dataclass(frozen=True)
class Seen:
    """Equipment that networks saw with a number.

    Args:
        identity: an IMEI, or the malformed text that it gave itself.
        last_seen: the last day of it; what is long past is left out by whoever asks the networks.
        goes_on: the number goes on with it although its identity is, or will be, blocked.
    """

    identity: EquipmentIdentity
    last_seen: datetime
    goes_on: bool = False


SeenWith = Callable[[Msisdn], Collection[Seen]]
"""What networks saw a number with lately."""


@dataclass(frozen=True)
class MyDevice:
    """A device as its holder sees it.

    Args:
        identities: its IMEIs; of equipment that was only seen, what it was seen as.
        state: of its registration; `seen` without one.
        usable: whether the registration lets it be used.
        in_review: whether the person said that it is not his.
        goes_on: its identity is, or will be, blocked, and the number goes on with it all the same.
    """

    identities: tuple[EquipmentIdentity, ...]
    manufacturer: str
    model: str
    state: str
    kind: str
    begins_at: datetime | None
    ends_at: datetime | None
    usable: bool
    last_seen: datetime | None
    in_review: bool
    goes_on: bool = False


def my_devices(proof: Proof, *, seen_with: SeenWith, actor: Actor, at: datetime) -> tuple[MyDevice, ...]:
    """What is registered for whoever proved a number for `Purpose.DEVICES`, and what it is used with.

    Only what counts now: what was given up long ago is nobody's business any more, and frightens people.

    Raises:
        CodeError: the number is not proven.
    """
    require(actor, Permission.DEVICE_READ, owner=actor.organisation)
    check(proof, Purpose.DEVICES, actor=actor, at=at)
    told = seen_with(proof.number)
    seen = {one.identity: one.last_seen for one in told}
    goes_on = {one.identity for one in told if one.goes_on}
    line = line_of(proof.number)
    mine: list[MyDevice] = []
    shown: set[EquipmentIdentity] = set()
    disputed: set[int] = set()
    if line is not None:
        person = canonical(line.person)
        disputed = set(_open_reviews(person).values_list("imei", flat=True))
        registrations = Registration.objects.filter(
            everyone(person), state__in=LIVING, disowned_at=None
        ).select_related("device")
        good = set(usable(at).filter(everyone(person)).values_list("pk", flat=True))
        for registration in registrations.order_by("entered_at", "pk"):
            if registration.state == State.IN_FORCE.value and registration.pk not in good:
                continue  # its time is over
            imeis = imeis_of(registration.device)
            shown |= set(imeis)
            mine.append(
                MyDevice(
                    identities=imeis,
                    manufacturer=registration.device.manufacturer,
                    model=registration.device.model,
                    state=registration.state,
                    kind=registration.kind,
                    begins_at=registration.begins_at,
                    ends_at=registration.ends_at,
                    usable=registration.pk in good,
                    last_seen=max((seen[imei] for imei in imeis if imei in seen), default=None),
                    in_review=any(imei.number in disputed for imei in imeis),
                    goes_on=any(imei in goes_on for imei in imeis),
                )
            )
        record(actor, "devices.read", str(line), at=at, basis="the holder asked")
    for identity in sorted(set(seen) - shown, key=str):
        in_review = isinstance(identity, Imei) and identity.number in disputed
        mine.append(
            MyDevice(
                (identity,), "", "", "seen", "", None, None, False, seen[identity], in_review,
                identity in goes_on,
            )
        )  # fmt: skip
    return tuple(mine)


def not_mine(
    imei: Imei, remark: str, *, proof: Proof, seen_with: SeenWith, actor: Actor, at: datetime
) -> Review:
    """Somebody says that a device which stands with his number is not his. It is looked into; nothing is
    blocked, and nothing else changes, until somebody decides.

    Raises:
        NotYoursError: it does not stand with the number.
        ReviewError: he said so before, and it is being looked into.
    """
    require(actor, Permission.DEVICE_READ, owner=actor.organisation)
    remark = free_text(remark, "A remark", 500, lines=True)
    check(proof, Purpose.DEVICES, actor=actor, at=at)
    seen = any(one.identity == imei for one in seen_with(proof.number))
    try:
        with transaction.atomic():
            person = canonical(line_proven(proof.number, at=at).person)
            registration = _registered_for(person, imei)
            if registration is None and not seen:
                raise not_yours()
            review = Review.objects.create(
                person=person,
                registration=registration,
                imei=imei.number,
                remark=remark,
                state=ReviewState.OPEN.value,
                opened_at=at,
            )
            record(actor, "review.opened", str(review), at=at)
    except IntegrityError as error:
        raise ReviewError("You said so already.", "It is being looked into.") from error
    return review


def decide_review(review_id: int, *, detach: bool, reason: str, actor: Actor, at: datetime) -> Review:
    """Say whether a device is somebody's.

    Args:
        detach: true: it no longer stands with the person. It goes on being registered, as nobody's, so that
            whoever uses it is not cut off; he can register it as his.

    Raises:
        ReviewError: there is none.
        IllegalTransitionError: it is decided.
    """
    require(actor, Permission.REVIEW_DECIDE)
    reason = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        key = Review.objects.filter(pk=review_id).values_list("registration", flat=True)
        if not key:
            raise ReviewError(f"There is no review {review_id}.", "List those that are open.")
        registration = Registration.objects.select_for_update().filter(pk=key[0]).first()
        review = Review.objects.select_for_update().get(pk=review_id)
        move(
            review,
            ReviewState.DETACHED if detach else ReviewState.KEPT,
            REVIEW_TRANSITIONS,
            str(review).replace(":", " "),
        )
        review.decided_by, review.decided_at, review.reason = actor.id, at, reason
        review.save()
        if detach and registration is not None:
            registration.person = None
            registration.disowned_at = at
            registration.save()
        record(actor, f"review.{review.state}", str(review), at=at, basis=reason)
    return review


def is_sms_exempt(imei: Imei, *, at: datetime) -> bool:
    """Whether nobody reads messages on a device, so that none are sent about it."""
    try:
        device = device_of(imei)
    except NoDeviceError:
        return False
    return usable(at).filter(device=device, sms_exempt=True).exists()


def _open_reviews(person: Person) -> QuerySet[Review]:
    return Review.objects.filter(everyone(person), state=ReviewState.OPEN.value)


def _registered_for(person: Person, imei: Imei) -> Registration | None:
    try:
        registration = registration_of(device_of(imei))
    except NoDeviceError:
        return None
    if registration is None or registration.person is None:
        return None
    return registration if canonical(registration.person).pk == person.pk else None
