"""The stage: the calendar, towns with their cells, who lives where, and how many there are of each kind."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import cached_property
from math import isqrt

import numpy as np

from ceir.clock import day_number, months_before
from ceir.testing.country import models, text
from ceir.testing.country.devices import Numbering
from ceir.testing.country.draws import Bytes, Draws, Ints, Permutation, tail_sizes
from ceir.testing.country.models import Catalogue
from ceir.testing.country.spec import BLOCK, SIMS_A_LINE, CountrySpec, CountrySpecError

# Subscriber numbers after the PLMN and after the country code: ten digits, in ranges that never meet.
_ORDINARY_SIMS = 8_000_000_000
_ORDINARY_MSISDNS = 6_000_000_000
FLEET_RANGE = 8_000_000_000
SIM_BOX_RANGE = 9_000_000_000
NATIONAL_ROAMER_RANGE = 7_000_000_000

FOREIGN_NETWORKS = (("22210", "39"), ("33315", "33"), ("44420", "81"), ("55530", "64"))
"""PLMN and country code of visitors from abroad."""

COMPANY, BOX_OWNER = 10**12, 2 * 10**12
"""Added to a fleet's or SIM box's number to make its person."""

NOBODY = -1

ROTATION = 5
"""Copied IMEIs among which a rotating clone changes."""


class Role(IntEnum):
    """The part a subscriber plays; `NONE` is the ordinary one, with only innocent circumstances."""

    NONE = 0
    CLONE_FAR = 1
    HOLDER_FAR = 2
    CLONE_NEAR = 3
    CLONE_CLUSTER = 4
    HOLDER_CLUSTER = 5
    PLACEHOLDER = 6
    MALFORMED = 7
    TEST_TAC = 8
    UNALLOCATED_TAC = 9
    RAT_MISMATCH = 10
    STOLEN = 11
    ROBBED = 12
    STOLEN_FOREIGN = 13
    UNREGISTERED = 14
    PRE_RELEASE = 15
    OEM_ERROR = 16
    BARRED = 17
    BARRED_TAC = 18
    NOT_TYPE_APPROVED = 19
    IOT = 20
    REPAIR_BENCH = 21
    RECOVERED = 22
    CLONE_DEAD_SOURCE = 23
    HOLDER_DEAD_SOURCE = 24
    CLONE_PRE_SALE = 25
    HOLDER_PRE_SALE = 26
    CLONE_MISMATCH = 27
    HOLDER_MISMATCH = 28
    CLONE_REPLICA = 29
    HOLDER_REPLICA = 30
    CLONE_ROTATING = 31
    HOLDER_ROTATING = 32


class Spare(IntEnum):
    """Devices outside the subscribers' own first and second ones."""

    DEAD_SOURCE = 0
    OEM_ERROR = 1
    SIM_BOX = 2
    ROAMER_INTERNATIONAL = 3
    ROAMER_NATIONAL = 4
    STOLEN = 5
    STOLEN_FOREIGN = 6
    BARRED = 7
    UNSOLD = 8


@dataclass(frozen=True)
class Calendar:
    """Days of the country, counted from 0 on the first day of observations."""

    first: date
    months: tuple[tuple[int, int], ...]
    """(first day, day after the last) of each month."""

    @classmethod
    def of(cls, spec: CountrySpec) -> "Calendar":
        """The months of a spec; the last one may be cut short by its last day."""
        firsts = [
            months_before(spec.last_day.replace(day=1), back) for back in range(spec.months - 1, -1, -1)
        ]
        starts = [day_number(day) - day_number(firsts[0]) for day in firsts]
        end = day_number(spec.last_day) - day_number(firsts[0]) + 1
        return cls(firsts[0], tuple(zip(starts, [*starts[1:], end], strict=True)))

    @property
    def days(self) -> int:
        """Length of the period."""
        return self.months[-1][1]

    def name(self, first: int, end: int) -> str:
        """`YYYYMMDD_YYYYMMDD` of a half-open range of days, as file names have it."""
        return f"{self.first + timedelta(days=first):%Y%m%d}_{self.first + timedelta(days=end - 1):%Y%m%d}"


@dataclass(frozen=True)
class Towns:
    """Where subscribers live: each town a range of subscriber numbers, in whole blocks."""

    names: tuple[str, ...]
    ends: Ints
    latitude: Ints
    """Millionths of a degree."""
    longitude: Ints

    def of(self, subscriber: Ints) -> Ints:
        """The town of each subscriber."""
        return np.searchsorted(self.ends, subscriber, side="right").astype(np.int64)

    def cells(self, town: Ints) -> Ints:
        """Radio cells of each operator in a town."""
        return 2 + np.diff(self.ends, prepend=0)[town] // 2000


@dataclass(frozen=True)
class Census:
    """How many there are of each kind, all settled before the first subscriber is made."""

    subscribers: int
    roles: Ints
    """Where each role's run of role numbers begins, and the end of the last."""
    spares: Ints
    """Where each kind of spare device begins, and the end of the last."""
    cluster_ends: Ints
    """Where each clone cluster's run of members ends."""
    live_clusters: int
    """Clusters whose genuine device is in use: the first ones."""
    oem_errors: int
    dead_listed: int
    """Clusters without a genuine device whose IMEI is on the stolen list: the last ones."""

    def size(self, role: Role) -> int:
        """Subscribers of a role."""
        return int(self.roles[role] - self.roles[role - 1])

    def spare_size(self, kind: Spare) -> int:
        """Spare devices of a kind."""
        return int(self.spares[kind + 1] - self.spares[kind])

    def spare(self, kind: Spare, index: Ints) -> Ints:
        """Device numbers of spare devices."""
        device: Ints = self.spares[kind] + index
        return device

    def within(self, count: int, low: int, high: int) -> Ints:
        """Which of `count` evenly placed things belong to the subscribers `low` .. `high`-1."""
        first, end = (-(-edge * count // self.subscribers) for edge in (low, high))
        return np.arange(first, end)


@dataclass(frozen=True)
class World:
    """All that holds for the whole country."""

    spec: CountrySpec
    draws: Draws
    calendar: Calendar
    towns: Towns
    census: Census
    catalogue: Catalogue
    numbering: Numbering

    @cached_property
    def role_order(self) -> Permutation:
        """Scatters the roles over the subscribers."""
        return self.draws.permutation("role", self.census.subscribers)

    @cached_property
    def plmns(self) -> Ints:
        """PLMN of each operator, as a number."""
        return np.asarray([int(o.plmn) for o in self.spec.operators], dtype=np.int64)

    @cached_property
    def operator_weights(self) -> list[int]:
        """Market shares as whole numbers."""
        return [max(1, int(o.share * 1_000_000)) for o in self.spec.operators]

    @cached_property
    def foreign(self) -> tuple[tuple[str, str], ...]:
        """Networks abroad: those of `FOREIGN_NETWORKS` that are not at home here."""
        spec = self.spec
        home = {operator.plmn[:3] for operator in spec.operators}
        return tuple(
            (plmn, code)
            for plmn, code in FOREIGN_NETWORKS
            if plmn[:3] not in home and code != spec.country_code
        )

    def player(self, role: Role, number: Ints) -> Ints:
        """The subscribers who play a role with these numbers (0 .. size-1)."""
        return self.role_order.undone(self.census.roles[role - 1] + number)

    def operator(self, subscriber: Ints) -> Ints:
        """The operator of each subscriber's first SIM."""
        return self.draws.pick("operator", subscriber, self.operator_weights)

    def imsi(self, operator: Ints, subscriber: Ints, sim: int | Ints = 0) -> Ints:
        """The IMSI of a subscriber's SIM number 0 .. 7."""
        number = self.draws.permutation("imsi", _ORDINARY_SIMS).of(subscriber * SIMS_A_LINE + sim)
        return self.plmns[operator] * 10**10 + number

    def msisdn(self, subscriber: Ints, sim: int | Ints = 0) -> Ints:
        """The MSISDN that goes with it unless the number was kept."""
        number = self.draws.permutation("msisdn", _ORDINARY_MSISDNS).of(subscriber * SIMS_A_LINE + sim)
        return self.national(10**9 + number)

    def national(self, number: Ints) -> Ints:
        """A ten-digit national number with the country code."""
        return int(self.spec.country_code) * 10**10 + number

    def uid(self, person: Ints) -> Bytes:
        """The text of each person: letter and number, empty for nobody."""
        scattered = self.draws.permutation("person", 10**9).of(np.clip(person, 0, 10**9 - 1))
        number = np.where(person >= COMPANY, person % COMPANY, scattered)
        letter = np.frombuffer(b"PCS", dtype=np.uint8)[np.clip(person // COMPANY, 0, 2)]
        return text.where(person >= 0, np.concatenate([letter[:, None], text.digits(number, 9)], axis=1))


def make_world(spec: CountrySpec) -> World:
    """Settles everything that does not depend on single subscribers."""
    draws = Draws(spec.seed)
    catalogue = models.make_catalogue(spec, draws)
    census = _census(spec)
    numbering = Numbering.of(catalogue, int(census.spares[-1]), draws)
    return World(spec, draws, Calendar.of(spec), _towns(spec, draws), census, catalogue, numbering)


def _share(size: int, share: float) -> int:
    """At least one of anything that occurs at all."""
    return max(1, round(size * share)) if share > 0 else 0


def _census(spec: CountrySpec) -> Census:
    n, wrong, habits = spec.subscribers, spec.crimes, spec.habits
    clusters = _share(n, wrong.clusters)
    sizes = tail_sizes(clusters, wrong.cluster_alpha, wrong.cluster_minimum)
    live = clusters - round(clusters * wrong.cluster_dead)
    stolen = _share(n, wrong.stolen)
    listed = spec.stolen if spec.stolen is not None else 0 if spec.clean else n // 50
    stolen = min(stolen, listed)
    dead_listed = min((clusters - live + 1) // 2, listed - stolen)
    recovered = min(_share(n, wrong.recovered), listed - stolen - dead_listed)
    far = _share(n, wrong.clone_far)
    counts = {
        Role.CLONE_FAR: far,
        Role.HOLDER_FAR: far,
        Role.CLONE_NEAR: _share(n, wrong.clone_near),
        Role.CLONE_CLUSTER: int(sizes.sum()),
        Role.HOLDER_CLUSTER: live,
        Role.PLACEHOLDER: _share(n, wrong.placeholder),
        Role.MALFORMED: _share(n, wrong.malformed),
        Role.TEST_TAC: _share(n, wrong.test_tac),
        Role.UNALLOCATED_TAC: _share(n, wrong.unallocated_tac),
        Role.RAT_MISMATCH: _share(n, wrong.rat_mismatch),
        Role.STOLEN: stolen,
        Role.ROBBED: stolen,
        Role.STOLEN_FOREIGN: _share(n, wrong.stolen_foreign),
        Role.UNREGISTERED: _share(n, spec.unregistered_share),
        Role.PRE_RELEASE: _share(n, wrong.pre_release),
        Role.OEM_ERROR: 5 * _share(n, wrong.oem_error / 5),
        Role.BARRED: _share(n, wrong.barred),
        Role.BARRED_TAC: _share(n, wrong.barred_tac),
        Role.NOT_TYPE_APPROVED: _share(n, wrong.not_type_approved),
        Role.IOT: _share(n, habits.iot),
        Role.REPAIR_BENCH: _share(n, habits.repair_bench),
        Role.RECOVERED: recovered,
        Role.CLONE_DEAD_SOURCE: _share(n, wrong.clone_dead_source),
        Role.HOLDER_DEAD_SOURCE: _share(n, wrong.clone_dead_source),
        Role.CLONE_PRE_SALE: _share(n, wrong.clone_pre_sale),
        Role.HOLDER_PRE_SALE: _share(n, wrong.clone_pre_sale),
        Role.CLONE_MISMATCH: _share(n, wrong.clone_mismatch),
        Role.HOLDER_MISMATCH: _share(n, wrong.clone_mismatch),
        Role.CLONE_REPLICA: _share(n, wrong.clone_replica),
        Role.HOLDER_REPLICA: _share(n, wrong.clone_replica),
        Role.CLONE_ROTATING: _share(n, wrong.clone_rotating),
        Role.HOLDER_ROTATING: ROTATION * _share(n, wrong.clone_rotating),
    }
    special = sum(counts.values())
    if special > n * 0.8:
        raise CountrySpecError(
            f"{special} of {n} subscribers have a special role.", "Lower the shares of wrongdoing and habits."
        )
    unsold = spec.registrations if spec.registrations is not None else n // 20
    oem_errors = max(1, n // 100_000)
    spares = {
        Spare.DEAD_SOURCE: clusters - live,
        Spare.OEM_ERROR: oem_errors,
        Spare.SIM_BOX: _share(n, wrong.sim_boxes),
        Spare.ROAMER_INTERNATIONAL: _share(n, habits.roamers_international),
        Spare.ROAMER_NATIONAL: _share(n, habits.roamers_national),
        Spare.STOLEN: listed - stolen - dead_listed - recovered,
        Spare.STOLEN_FOREIGN: 0 if spec.clean else n // 100,
        Spare.BARRED: 0 if spec.clean else n // 1000,
        Spare.UNSOLD: unsold,
    }
    return Census(
        subscribers=n,
        roles=np.cumsum([0, *counts.values()]),
        spares=np.cumsum([2 * n, *spares.values()]),
        cluster_ends=np.cumsum(sizes),
        live_clusters=live,
        oem_errors=oem_errors,
        dead_listed=dead_listed,
    )


_STARTS = ("Ka", "Mo", "Ri", "Ta", "Be", "Lu", "Sa", "Du", "No", "Ve", "Ha", "Os", "Il", "Pe", "Zo", "Ga")
_MIDDLES = ("ra", "li", "no", "ve", "mba", "shi", "lo", "ne", "du", "ki")
_TAILS = ("ma", "ro", "ta", "li", "na", "vo", "sa", "ren", "dor", "bel")


def _towns(spec: CountrySpec, draws: Draws) -> Towns:
    blocks = -(-spec.subscribers // BLOCK)
    count = max(4, min(150, spec.subscribers // 3000, blocks))
    at = np.arange(count)
    # Populations fall as 1 / rank, as towns of a country do (Zipf's law).
    weights = 10**9 // (at + 1)
    ends = np.maximum(np.cumsum(weights) * blocks // int(weights.sum()), at + 1) * BLOCK
    ends[-1] = blocks * BLOCK
    side = isqrt(count - 1) + 1
    # A town somewhere in the middle of its own field of a grid: never closer than a third of a field.
    place = draws.permutation("town", side * side).of(at)
    field = 4_000_000 // side
    latitude = 10_000_000 + place // side * field + field // 3 + draws.below("latitude", at, field // 3)
    longitude = 20_000_000 + place % side * field + field // 3 + draws.below("longitude", at, field // 3)
    spelling = draws.permutation("name", len(_STARTS) * len(_MIDDLES) * len(_TAILS)).of(at)
    names = tuple(_STARTS[i % 16] + _MIDDLES[i // 16 % 10] + _TAILS[i // 160] for i in spelling.tolist())
    return Towns(names, ends, latitude, longitude)
