"""What a country decides for its register, as it writes it down in `country.toml`.

Everything has a value without the file; the example that `ceir init` writes shows them all. Nothing here
knows Django: the file is read before the register is opened, once, and told to every process of it.
"""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

Yes = Annotated[bool, Field(strict=True)]
Whole = Annotated[int, Field(strict=True)]
Count = Annotated[Whole, Field(ge=0, le=1_000_000_000)]
Days = Annotated[Whole, Field(ge=1, le=3650)]
Share = Annotated[Decimal, Field(ge=0, le=1, max_digits=7, decimal_places=6)]
Budget = Annotated[Decimal, Field(ge=0, le=1000, max_digits=9, decimal_places=5)]
OperatorId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,16}$")]
SignalName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,32}$")]
KindName = Literal["person", "import", "traveller", "fleet", "diplomatic", "test"]
ReporterName = Literal["consumer", "operator", "police"]

KINDS: tuple[KindName, ...] = ("person", "import", "traveller", "fleet", "diplomatic", "test")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class QuotaWritten(_Table):
    """How many devices one holder registers; empty, `{}`, is no bound."""

    devices: Count | None = Field(default=None, description="At most so many.")
    days: Days | None = Field(
        default=None,
        description="Within so many days; without it at a time, as long as they stay registered.",
    )

    @model_validator(mode="after")
    def _days_of_something(self) -> "QuotaWritten":
        if self.devices is None and self.days is not None:
            raise ValueError("days without devices bound nothing: type { devices = 5, days = 365 }")
        return self


class Identifiers(_Table):
    """How strict the register is with identifiers of devices that are registered."""

    unknown_models: Yes = Field(
        default=False, description="Take devices whose TAC is on no list, if all their IMEIs share one TAC."
    )


class Registrations(_Table):
    """Registering devices."""

    kinds: tuple[KindName, ...] = Field(
        default=KINDS,
        min_length=1,
        description="Kinds of registration that there are here; others are refused.",
    )
    traveller_days: Days = Field(
        default=120, description="For how long a traveller's device is registered, from his arrival."
    )
    test_days: Days = Field(default=365, description="For how long test equipment is.")
    fleet_alone: Count = Field(
        default=20, description="So many devices an organisation registers as a fleet without second person."
    )
    import_alone: Count = Field(
        default=0, description="So many devices an importer registers without second person."
    )
    pay_within_days: Days = Field(
        default=30, description="Until a duty that is not paid ends the registration."
    )
    offer_days: Days = Field(default=7, description="How long an offered transfer waits.")
    transferable: tuple[KindName, ...] = Field(
        default=("person", "import", "fleet"),
        description="Kinds whose devices go to another by transfer; others are registered anew.",
    )
    received: QuotaWritten = Field(
        default=QuotaWritten(devices=10, days=365),
        description="Devices that one person receives from others by transfer.",
    )
    quotas: Mapping[KindName, QuotaWritten] = Field(
        default={},
        description="Devices of one holder, by kind; a kind that is left out keeps what is usual: person 5 "
        "in 365 days, traveller 1 in 180 days, diplomatic 50 at a time, others no bound.",
    )
    identifiers: Identifiers = Identifiers()


class Pairings(_Table):
    """Pairing a device with the lines that it may be used with."""

    places: Annotated[Whole, Field(ge=1, le=100)] = Field(
        default=5, description="Lines that one device is paired with at most."
    )
    code_days: Days = Field(default=30, description="How long a code pairs.")
    kept_days: Days = Field(
        default=90, description="How long the place of an ended line is kept for the same person's next one."
    )


class ProvisionalBlocks(_Table):
    """Blocking a device as soon as it is reported stolen or lost, before anybody verified it."""

    enabled: Yes = Field(default=False, description="Whether that is done.")
    hours: Annotated[Whole, Field(ge=1, le=720)] = Field(
        default=72, description="Until it is lifted if nobody decides."
    )
    reporters: tuple[ReporterName, ...] = Field(
        default=("police", "operator"),
        description="Whose word is taken; a consumer's only for a device seen with a number he proved.",
    )
    again_after_days: Annotated[Whole, Field(ge=0, le=3650)] = Field(
        default=90, description="A device whose provisional block nobody verified is spared for so long."
    )
    devices_a_day: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        default=50, description="Most devices that one reporter blocks so within 24 hours."
    )


class Codes(_Table):
    """One-time codes by which people prove a number."""

    digits: Annotated[Whole, Field(ge=4, le=12)] = Field(default=6, description="Of a code.")
    tries: Annotated[Whole, Field(ge=1, le=20)] = Field(
        default=5, description="Wrong ones before a code stops counting."
    )
    given_within_minutes: Annotated[Whole, Field(ge=1, le=1440)] = Field(
        default=10, description="How long a code can be given."
    )
    used_within_minutes: Annotated[Whole, Field(ge=1, le=1440)] = Field(
        default=30, description="How long what it proved counts."
    )
    wait_seconds: Annotated[Whole, Field(ge=0, le=3600)] = Field(
        default=30, description="Between two codes to one number."
    )
    number_hour: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        default=3, description="Codes to one number within an hour."
    )
    number_day: Annotated[Whole, Field(ge=1, le=10_000)] = Field(
        default=8, description="Codes to one number within a day."
    )
    actor_day: Annotated[Whole, Field(ge=1, le=10_000_000)] = Field(
        default=300, description="Codes that one account or program asks for within a day."
    )
    wrong_day: Annotated[Whole, Field(ge=1, le=10_000_000)] = Field(
        default=100, description="Wrong codes of one account or program within a day."
    )


class StageWritten(_Table):
    """A step of a release."""

    share: Annotated[Share, Field(gt=0)] = Field(
        description="Of the devices so many are out when the step is full; 0.01 is one in a hundred."
    )
    days: Annotated[Whole, Field(ge=0, le=365)] = Field(
        default=1, description="Between the step's last device and the next step."
    )
    operators: tuple[OperatorId, ...] = Field(
        default=(), description="Ids (policy.toml) of operators at which the block holds; none: at all."
    )


class Releases(_Table):
    """Letting blocks out little by little, and stopping by itself."""

    daily_cap: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None, description="Devices that go out within 24 hours; without it there is no cap."
    )
    tolerated: Count = Field(
        default=3, description="So many of a signal are borne however few devices are out."
    )
    alone_share: Share = Field(
        default=Decimal(0),
        description="Up to which share of the devices one person alone may start a release; 0: never.",
    )
    budgets: Mapping[SignalName, Budget] = Field(
        default={"appeals": Decimal(5), "sightings": Decimal(50)},
        min_length=1,
        description="By signal, so many for 1,000 released devices are borne; above it a release stops.",
    )
    stages: tuple[StageWritten, ...] = Field(
        default=(
            StageWritten(share=Decimal("0.01"), days=3),
            StageWritten(share=Decimal("0.1"), days=7),
            StageWritten(share=Decimal(1), days=1),
        ),
        min_length=1,
        description="The steps; shares do not fall, operators do not become fewer. Usual: 0.01 for 3 days, "
        "0.1 for 7 days, 1.",
    )

    @field_validator("stages")
    @classmethod
    def _only_widen(cls, stages: tuple[StageWritten, ...]) -> tuple[StageWritten, ...]:
        for number, (before, after) in enumerate(pairwise(stages), start=2):
            if after.share < before.share:
                raise ValueError(f"stage {number} has a smaller share than the one before: stages only widen")
            if after.operators and not (before.operators and set(before.operators) <= set(after.operators)):
                raise ValueError(f"stage {number} lacks an operator of the one before: stages only widen")
        return stages


class Appeals(_Table):
    """The clock of appeals."""

    days: Days = Field(
        default=15,
        description="Within which an appeal is decided; after them the device works again with who appeals.",
    )
    theft_days: Days = Field(
        default=5, description="The same where the device was reported stolen or lost, here or abroad."
    )
    evidence_days: Days = Field(
        default=10, description="For how long evidence that was asked for is waited for; the clock stands."
    )
    most_asks: Annotated[Whole, Field(ge=0, le=20)] = Field(
        default=2, description="How often evidence is asked for."
    )


class CountryFile(_Table):
    """All of `country.toml`."""

    time_zone: str = Field(
        default="UTC",
        description="Whose clock counts for days, deadlines and quiet hours, like Africa/Nairobi; the "
        "database keeps UTC.",
    )
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None,
        description="Country (two letters of ISO 3166-1, like KE) in whose way numbers without country code "
        "are read; without it numbers are written with + and the country code.",
    )
    registrations: Registrations = Registrations()
    pairings: Pairings = Pairings()
    provisional_blocks: ProvisionalBlocks = ProvisionalBlocks()
    codes: Codes = Codes()
    releases: Releases = Releases()
    appeals: Appeals = Appeals()

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(
                f"there is no time zone {name!r}: type one of the IANA list, like Africa/Nairobi"
            ) from error
        return name

    @field_validator("region")
    @classmethod
    def _is_a_region(cls, region: str | None) -> str | None:
        if region is not None:
            import phonenumbers  # noqa: PLC0415 - large; most commands never ask for it

            if region not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"{region!r} is no country with numbers: type two letters, like KE")
        return region
