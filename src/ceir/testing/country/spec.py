"""What a synthetic country looks like: its size, operators, habits and wrongdoing, each a named knob.

Sources of the defaults, by the mark beside each knob:
[press] reported by regulators or press for a country, as quoted beside the knob;
[gate]  kept under an import limit of the open-source peer, so that files of the country are accepted;
[guess] chosen to look plausible and to give enough cases to count; nothing is known to measure it.
A precision measured on a synthetic country is not a precision in the field.
"""

import re
from dataclasses import dataclass, field, fields, replace
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import ClassVar

from ceir.clock import months_before
from ceir.errors import CeirError
from ceir.testing.country.movement import Movement

BLOCK = 64
"""Subscribers with neighbouring numbers live in one town; families and shops stay within a block."""

SIMS_A_LINE = 8
"""Numbers set aside for the SIMs that one subscription uses one after the other."""


class CountrySpecError(CeirError):
    """A synthetic country was described that cannot exist."""

    code = "country_spec"
    exit_code = 2


class CountryFolderNotEmptyError(CeirError):
    """The folder for the country's files already holds something, which would be taken for part of it."""

    code = "country_folder_not_empty"


def _demand(condition: bool, what: str, wanted: str) -> None:
    if not condition:
        raise CountrySpecError(f"A synthetic country cannot have {what}.", f"Wanted: {wanted}.")


class Label(IntEnum):
    """What is hidden behind a use of a device; the lower-case names are the texts of `truth.parquet`."""

    GENUINE = 0
    CLONE_FAR = 1
    CLONE_NEAR = 2
    CLONE_CLUSTER = 3
    PLACEHOLDER = 4
    MALFORMED = 5
    TEST_TAC = 6
    UNALLOCATED_TAC = 7
    RAT_MISMATCH = 8
    STOLEN = 9
    STOLEN_FOREIGN = 10
    UNREGISTERED = 11
    PRE_RELEASE = 12
    SIM_BOX = 13
    OEM_ERROR = 14
    BARRED = 15
    BARRED_TAC = 16
    NOT_TYPE_APPROVED = 17
    CLONE_DEAD_SOURCE = 18
    CLONE_PRE_SALE = 19
    CLONE_MISMATCH = 20
    CLONE_REPLICA = 21
    CLONE_ROTATING = 22


class Story(IntEnum):
    """The innocent circumstance of a use, which rules against clones may take for wrongdoing."""

    ORDINARY = 0
    DUAL_SIM = 1
    DUAL_SIM_ONE_IMEI = 2
    SIM_SWAP = 3
    PORTED = 4
    UPGRADE = 5
    RESALE = 6
    FAMILY_PHONE = 7
    VILLAGE_PHONE = 8
    REPAIR_BENCH = 9
    SIM_HOPPER = 10
    VISITING = 11
    IOT_FLEET = 12
    ROAMER_NATIONAL = 13
    ROAMER_INTERNATIONAL = 14
    COURIER = 15
    TWO_HOMES = 16
    FLYER = 17


@dataclass(frozen=True)
class OperatorSpec:
    """A network that reports: id in file names, PLMN (prefix of its IMSIs), share of subscribers."""

    id: str
    plmn: str
    share: float

    def __post_init__(self) -> None:
        _demand(bool(re.fullmatch(r"[a-z0-9]{1,16}", self.id)), f"operator id {self.id!r}", "1-16 of a-z 0-9")
        _demand(bool(re.fullmatch(r"[1-9][0-9]{4}", self.plmn)), f"PLMN {self.plmn!r}", "5 digits, MCC first")
        _demand(self.share > 0, f"share {self.share} of {self.id}", "more than 0")


DEFAULT_OPERATORS = tuple(
    OperatorSpec(f"operator{i}", f"1110{i}", share) for i, share in ((1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1))
)


@dataclass(frozen=True)
class Habits:
    """Innocent circumstances, as shares of subscribers unless said otherwise."""

    second_line: float = 0.2
    """A subscription that belongs to the same person as the one before [guess]."""
    dual_sim: float = 0.6
    """Of people's second lines: in the second slot of the first line's device [guess]."""
    dual_sim_one_imei: float = 0.1
    """Of those: both slots reported with the first slot's IMEI [guess]."""
    other_name: float = 0.0
    """Of people's lines in second slots: in the name of somebody else of the family; off unless asked for."""
    courier: float = 0.0
    """Of phones with two slots and one IMEI: drives to another town most days; off unless asked for."""
    two_homes: float = 0.0
    """Of the same: weekends at a second home in another town; off unless asked for."""
    flyer: float = 0.0
    """Of the same: flies within the country about once a week; off unless asked for."""
    sim_swap: float = 0.03
    """New SIM and IMSI, same MSISDN, within the period [guess]."""
    ported: float = 0.005
    """Moves to another operator with the MSISDN [guess]."""
    upgrade: float = 0.04
    """A new device within the period [guess]."""
    sim_hopper: float = 0.003
    """Six SIMs in turn in one device, to follow offers [guess]."""
    visiting: float = 0.005
    """Some days also reported by another operator of the country [guess]."""
    family_phone: float = 0.04
    """Of groups of 8 neighbours: two share one device [guess]."""
    village_phone: float = 0.003
    """Of groups of 8 neighbours: all share one device [guess]."""
    resale: float = 0.06
    """Of groups of 8 neighbours: one sells the device to another [guess]."""
    repair_bench: float = 0.0005
    """Owners of four test SIMs that pass through neighbours' devices for a day each [guess]."""
    iot: float = 0.04
    """Lines of fleets: one TAC and one run of serial numbers a fleet [guess]."""
    fleet_size: int = 200
    """Devices of a fleet [guess]."""
    roamers_national: float = 0.005
    """Visitors of an unconfigured network of the home MCC, per subscriber [guess; gate 0.2 of rows]."""
    roamers_international: float = 0.02
    """Visitors from abroad, per subscriber [guess; gate 0.1 of rows]."""


@dataclass(frozen=True)
class Wrongs:
    """Wrongdoing, as shares of subscribers (lines) unless said otherwise; 0 switches a kind off.

    With the defaults about 0.5 % of IMEIs are duplicated, 2.3 % of lines use one of them, and a
    duplicated IMEI has 4 to 5 lines on average [press: 0.1 % (TZ) to 0.5 % (AZ) of IMEIs; 1 % (CO) to
    3 % (PK) of lines; 3.6 to 6.0 lines a duplicated IMEI (PE, CO, PK)].
    """

    clone_far: float = 0.002
    """One clone in another town than its genuine twin [press, see above]."""
    clone_near: float = 0.001
    """One clone in the same town [press, see above]."""
    clusters: float = 0.002
    """Number of clusters per subscriber [press, see above]."""
    cluster_alpha: float = 1.6
    """Exponent of the sizes' tail [press: size by rank ** -0.60 to -0.67 (AZ), hence 1.5 to 1.7]."""
    cluster_minimum: int = 3
    """Clones of the smallest cluster [guess]."""
    cluster_dead: float = 0.3
    """Of clusters: the genuine device is gone; half of these are on the stolen list [guess]."""
    clone_other_hardware: float = 0.2
    """Of clones: a 4G device whatever the copied IMEI's model is; the others are of a like model [guess]."""
    clone_dead_source: float = 0.0
    """One clone of a device that was scrapped some weeks before; off unless asked for."""
    clone_pre_sale: float = 0.0
    """One clone of a device that is still to be released and sold; off unless asked for."""
    clone_mismatch: float = 0.0
    """One clone of a 2G device's IMEI in 4G hardware; off unless asked for."""
    clone_replica: float = 0.0
    """One clone in hardware of the very model that it copies; off unless asked for."""
    clone_rotating: float = 0.0
    """Number of lines per subscriber that change among five copied IMEIs; off unless asked for."""
    placeholder: float = 0.003
    """All zeros 60 %, all nines 30 %, 12345678901234 10 % [press: one had 39.1 million lines in BD; gate]."""
    malformed: float = 0.004
    """Too short, with letters or with * and # [guess; gate 0.05 of rows]."""
    test_tac: float = 0.0005
    """Devices with an IMEI from a range for tests [guess]."""
    unallocated_tac: float = 0.004
    """Devices whose TAC nobody allocated [guess]."""
    rat_mismatch: float = 0.003
    """4G devices that carry the IMEI of a model that has 2G only [guess]."""
    stolen: float = 0.003
    """Stolen devices that somebody uses [guess]."""
    recovered: float = 0.001
    """Devices once reported stolen, found again and used by their owners [guess]."""
    stolen_foreign: float = 0.001
    """Devices reported stolen abroad and used here [guess]."""
    pre_release: float = 0.0015
    """Used before the customs released them [guess]."""
    sim_boxes: float = 0.0001
    """Number of boxes with 4 to 20 numbers in equal steps per subscriber [guess]."""
    oem_error: float = 0.0005
    """Lines on an IMEI that the manufacturer gave to many devices [press: 13,557 and over 100,000 (IN)]."""
    barred: float = 0.001
    """Devices barred one by one [guess]."""
    barred_tac: float = 0.001
    """Devices of a barred model [guess]."""
    not_type_approved: float = 0.003
    """Devices of a model whose approval is missing, withdrawn or over [guess]."""
    imsi_unregistered: float = 0.005
    """Lines whose IMSIs are missing from the subscribers' file [guess]."""
    not_associated: float = 0.05
    """Registered devices without an owner in the associations [guess]."""


_SIZES = frozenset({"fleet_size", "cluster_alpha", "cluster_minimum"})
"""Knobs that are no shares."""

NO_WRONGS = replace(Wrongs(), **{knob.name: 0 for knob in fields(Wrongs) if knob.name not in _SIZES})
"""A country where nobody does wrong."""


@dataclass(frozen=True)
class Noise:
    """Flaws of the operators' files, as shares of rows [gate: 0.05 each and together]."""

    no_imei: float = 0.002
    no_imsi: float = 0.002
    no_msisdn: float = 0.006
    no_rat: float = 0.008
    cut_imsi: float = 0.0005
    """IMSIs of 10 digits, which count for no rule."""
    repeated: float = 0.002
    """Rows that stand twice in the file."""


@dataclass(frozen=True)
class CountrySpec:
    """A synthetic country. Equal specs give equal files, byte for byte, on any machine.

    Args:
        subscribers: lines of the country's own operators, 500 to 500 million; roamers come on top.
        months: calendar months of observations, 1 to 36, the last one ending with `last_day`.
        last_day: last day of observations.
        seed: which of many such countries.
        rows_per_subscriber_month: mean observation rows of a line in a month, 1 to 20 (days it is active).
        tacs: a CSV `tac,brand,model,aka` to take models from; None invents them.
        tac_count: TACs of the written TAC list, 200 to 300,000.
        registered_share: subscribers whose device is properly registered; the others are `unregistered`.
        registrations: exact rows of the registration list: unsold devices fill it up; if it is too small the
            remaining devices go unregistered although the truth calls them genuine. None: all and 5 % unsold.
        stolen: exact rows of the stolen list, filled up with devices never seen; None: 2 % of subscribers.
        sightings_per_operator: about so many radio location rows for the last seven days; 0 writes none.
        movement: knobs of detailed sightings with cells and fingerprints for the last weeks, which then take
            the place of the sample; None: the sample.
        modern_rats: False reports only the codes of the open-source peer (no 008, 009, 010).
        clean: nobody does wrong: every label is genuine and the lists of offenders are empty.
        chunk_subscribers: subscribers held in memory at once; changes the order of rows and nothing else.
    """

    subscribers: int = 200_000
    months: int = 3
    last_day: date = date(2026, 10, 31)
    seed: int = 1
    operators: tuple[OperatorSpec, ...] = DEFAULT_OPERATORS
    unconfigured_plmn: str = "11199"
    country_code: str = "22"
    rows_per_subscriber_month: float = 6.7
    tacs: Path | None = None
    tac_count: int = 6_000
    registered_share: float = 0.97
    registrations: int | None = None
    stolen: int | None = None
    habits: Habits = field(default_factory=Habits)
    wrongs: Wrongs = field(default_factory=Wrongs)
    noise: Noise = field(default_factory=Noise)
    sightings_per_operator: int = 2_000
    movement: Movement | None = None
    modern_rats: bool = True
    clean: bool = False
    chunk_subscribers: int = 1024 * BLOCK

    LARGEST: ClassVar[int] = 500_000_000

    def __post_init__(self) -> None:
        _demand(
            500 <= self.subscribers <= self.LARGEST, f"{self.subscribers} subscribers", "500 to 500 million"
        )
        _demand(1 <= self.months <= 36, f"{self.months} months", "1 to 36")
        _demand(1 <= len(self.operators) <= 100, f"{len(self.operators)} operators", "1 to 100")
        _demand(
            len({o.id for o in self.operators})
            == len({o.plmn for o in self.operators})
            == len(self.operators),
            "an operator or PLMN stands twice",
            "each once",
        )
        plmns = {operator.plmn for operator in self.operators}
        _demand(
            self.unconfigured_plmn not in plmns
            and self.unconfigured_plmn[:3] in {plmn[:3] for plmn in plmns},
            f"the unconfigured PLMN {self.unconfigured_plmn}",
            "an operator's MCC and another MNC",
        )
        _demand(self.country_code.isdigit() and len(self.country_code) == 2, "the country code", "two digits")
        _demand(1 <= self.rows_per_subscriber_month <= 20, "rows_per_subscriber_month", "1 to 20")
        _demand(200 <= self.tac_count <= 300_000, f"{self.tac_count} TACs", "200 to 300,000")
        _demand(
            self.chunk_subscribers % BLOCK == 0 < self.chunk_subscribers,
            "chunk_subscribers",
            f"multiple of {BLOCK}",
        )
        _demand(0 < self.registered_share <= 1, "registered_share", "over 0 to 1")
        _demand(self.wrongs.cluster_alpha >= 1, "cluster_alpha", "1 or more")
        _demand(self.wrongs.cluster_minimum >= 1, "cluster_minimum", "1 or more")
        for knobs in (self.habits, self.wrongs, self.noise):
            for knob in fields(knobs):
                value = getattr(knobs, knob.name)
                limit = 10_000 if knob.name in _SIZES else 1
                _demand(0 <= value <= limit, f"{knob.name} = {value}", f"0 to {limit}")

    @property
    def crimes(self) -> Wrongs:
        """The wrongdoing in force: none in a clean country."""
        return NO_WRONGS if self.clean else self.wrongs

    @property
    def unregistered_share(self) -> float:
        """Subscribers whose device is on no registration list: none in a clean country."""
        return 0.0 if self.clean else 1 - self.registered_share

    @property
    def first_day(self) -> date:
        """First day of observations, the first of a month."""
        return months_before(self.last_day.replace(day=1), self.months - 1)
