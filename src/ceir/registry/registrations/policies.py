"""What a country decides about registrations, as values that callers hand over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from ceir.registry.devices.identifying import Model, Strictness
from ceir.registry.registrations.models import Kind
from ceir.registry.subscribers.reporting import Holder


@dataclass(frozen=True)
class Quota:
    """How many devices one holder registers.

    Args:
        devices: at most.
        days: within so many days before now; None: at any time, as long as they stay registered.
    """

    devices: int
    days: int | None = None


@dataclass(frozen=True)
class Owed:
    """What a country's calculation says is due for one device.

    Args:
        amount: with two decimals at most, above 0.
        currency: three letters of ISO 4217.
        ground: the rule by which it came about, for the payer.
    """

    amount: Decimal
    currency: str
    ground: str


@dataclass(frozen=True)
class DutyBasis:
    """What a duty is calculated from.

    Args:
        earlier: devices that the holder registered before.
    """

    kind: Kind
    model: Model | None
    imeis: int
    earlier: int
    at: datetime


DutyOf = Callable[[DutyBasis], Owed | None]
"""Declared by a country; None: nothing is due."""

ArrivalOf = Callable[[Holder], date | None]
"""The day on which a traveller last entered the country, as the border knows; None: it does not."""


@dataclass(frozen=True)
class RegistrationPolicy:
    """What applies to registrations.

    Args:
        kinds: that there are; others are refused.
        quotas: by kind; a kind that is missing has none.
        transfers: devices that one person receives from others.
        traveller_days: for how long a traveller's device is registered, from the arrival if it is known.
        test_days: for how long test equipment is.
        fleet_alone, import_alone: so many devices of an organisation need no second person.
        pay_within_days: until a duty that is not paid ends the registration.
        offer_days: how long an offered transfer waits.
        transferable: kinds whose devices go to another by transfer; others are registered anew.
        strictness: of identifiers.
        duty_of: what is due.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    quotas: Mapping[Kind, Quota] = field(
        default_factory=lambda: MappingProxyType(
            {Kind.PERSON: Quota(5, 365), Kind.TRAVELLER: Quota(1, 180), Kind.DIPLOMATIC: Quota(50)}
        )
    )
    transfers: Quota | None = Quota(10, 365)
    traveller_days: int = 120
    test_days: int = 365
    fleet_alone: int = 20
    import_alone: int = 0
    pay_within_days: int = 30
    offer_days: int = 7
    transferable: frozenset[Kind] = frozenset({Kind.PERSON, Kind.IMPORT, Kind.FLEET})
    strictness: Strictness = field(default_factory=Strictness)
    duty_of: DutyOf | None = None
