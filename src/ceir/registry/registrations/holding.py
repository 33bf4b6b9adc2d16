"""Who holds what, and how many more: looked at with the holder locked, so that nobody adds meanwhile."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db.models import Q, QuerySet

from ceir.errors import CeirError
from ceir.registry.devices.models import Device
from ceir.registry.organisations.models import Organisation
from ceir.registry.registrations.models import LIVING, DutyState, Kind, Registration, State
from ceir.registry.registrations.policies import Quota
from ceir.registry.subscribers.finding import canonical, everyone
from ceir.registry.subscribers.models import Person


class QuotaExceededError(CeirError):
    """The holder would have more devices than he may register."""

    code: ClassVar[str] = "quota_exceeded"


@dataclass(frozen=True)
class Holding:
    """In whose name devices are registered: a person's or an organisation's."""

    person: Person | None = None
    organisation: int | None = None

    def __post_init__(self) -> None:
        if (self.person is None) == (self.organisation is None):
            raise ValueError("a device is registered for a person or for an organisation")

    def lock(self) -> "Holding":
        """The same, locked until the transaction ends; a merged person becomes who he is."""
        if self.person is not None:
            person = canonical(self.person)
            return Holding(person=Person.objects.select_for_update().get(pk=person.pk))
        assert self.organisation is not None
        return Holding(organisation=Organisation.objects.select_for_update().get(pk=self.organisation).pk)

    @property
    def whose(self) -> Q:
        """Narrows registrations to the holder's."""
        return everyone(self.person) if self.person is not None else Q(organisation=self.organisation)


def check_quota(
    holding: Holding, kind: Kind, more: int, quota: Quota | None, *, at: datetime, transferred: bool = False
) -> None:
    """Let a locked holder register so many more devices.

    Args:
        transferred: devices that came from others are counted, and only they.

    Raises:
        QuotaExceededError: with what counts.
    """
    if quota is None:
        return
    counted = Registration.objects.filter(holding.whose, kind=kind.value, follows__isnull=not transferred)
    counted = counted.exclude(state=State.REFUSED.value)
    if quota.days is None:
        counted = counted.filter(state__in=LIVING)
        within = "at a time"
    else:
        counted = counted.filter(entered_at__gt=at - timedelta(days=quota.days))
        within = f"within {quota.days} days"
    had = counted.count()
    if had + more > quota.devices:
        raise QuotaExceededError(
            f"{quota.devices} devices may be registered {within}; there are {had}, and {more} more came.",
            "Give up one that is not used any more, or wait.",
        )


def registered_before(holding: Holding) -> int:
    """How many devices the holder ever registered."""
    return Registration.objects.filter(holding.whose).exclude(state=State.REFUSED.value).count()


def registration_of(device: Device, *, lock: bool = False) -> Registration | None:
    """The registration of a device that is not over; None: there is none."""
    registrations = Registration.objects.select_for_update() if lock else Registration.objects.all()
    return registrations.filter(device=device, state__in=LIVING).first()


def in_force(at: datetime) -> QuerySet[Registration]:
    """Registrations in force at a moment, whether or not somebody swept up before."""
    return (
        Registration.objects.filter(state=State.IN_FORCE.value)
        .filter(Q(begins_at=None) | Q(begins_at__lte=at))
        .filter(Q(ends_at=None) | Q(ends_at__gt=at))
    )


def usable(at: datetime) -> QuerySet[Registration]:
    """Registrations that let a device be used at a moment: those in force, and those whose duty is disputed,
    for whoever may be right is not cut off."""
    disputed = Q(state=State.DUE.value, duty__state=DutyState.DISPUTED.value)
    return Registration.objects.filter(Q(pk__in=in_force(at).values("pk")) | disputed)


def registered_among(imeis: Collection[int], *, at: datetime) -> frozenset[int]:
    """Which of some IMEIs, 14 digits as numbers, are registered or wait for it: no other device can be."""
    living = Registration.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=at),
        state__in=LIVING,
        device__identifiers__imei__in=imeis,
        device__identifiers__ended_at=None,
    )
    found = living.values_list("device__identifiers__imei", flat=True)
    return frozenset(number for number in found if number is not None)
