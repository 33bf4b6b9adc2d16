"""A second country with hidden truth, of another make than `ceir.testing.country`, to be judged on only.

People explore and return (Song, Koren, Wang and Barabasi 2010): at each move they go to a new place with a
chance that falls with the places they know, chosen by gravity, or back to a known one, the more often the
more they were there. Activity comes in streaks, random numbers from numpy's PCG64. Only the formats of files
and of the truth are shared with the first generator.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

Take = Callable[..., list[int]]
"""Draws persons to whom nothing has happened yet: a share of all, and at least so many."""

KINDS = ("far", "near", "dead_source", "pre_sale", "mismatch", "replica", "cluster", "rotating")


@dataclass(frozen=True)
class WandererSpec:
    """Knobs; shares are of persons.

    Args:
        persons: 300 to 200,000.
        clones: identities copied of each class, as a share; 0: a country without clones.
        sighted_days: last days with sightings.
    """

    persons: int = 10_000
    days: int = 92
    last_day: date = date(2026, 10, 31)
    seed: int = 31
    clones: float = 0.001
    sighted_days: int = 28
    places: int = 25
    operators: tuple[tuple[str, str], ...] = (
        ("operator1", "11101"), ("operator2", "11102"), ("operator3", "11103"), ("operator4", "11104"),
    )  # fmt: skip
    two_lines: float = 0.15
    one_imei: float = 0.15
    """Of those with two lines: phones that report one IMEI for both."""
    other_name: float = 0.15
    """Of those with two lines: the second is in the name of somebody who has nothing else."""
    resale: float = 0.015
    family: float = 0.012
    hoppers: float = 0.004
    swaps: float = 0.03
    benches: float = 0.0008
    faulty_makers: float = 0.0005
    events_a_day: float = 9.0
    stray: float = 0.001
    skew_s: int = 40
    unassociated: float = 0.1
    late: float = 0.04


@dataclass
class Use:
    """A SIM in a device between two days, carried by somebody."""

    device: int
    imei: int
    person: int
    line: int
    start: int
    stop: int
    rats: str
    label: str = "genuine"
    story: str = "ordinary"
    holder: bool = True
    carrier: int = -1
    """Whose ways it goes; -1: the person's."""
    hardware: int = 0
    slots: bool = False
    """Works beside other SIMs in the same device."""
    ways: str = "usual"


@dataclass
class Wanderers:
    """A country while it is made."""

    spec: WandererSpec
    rng: np.random.Generator
    uses: list[Use] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    next_device: int = 0
    next_line: int = 0
    line_person: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng, spec = self.rng, self.spec
        self.size = rng.lognormal(1.0, 1.0, spec.places)
        self.size /= self.size.sum()
        self.position = rng.uniform(0, 320, (spec.places, 2))
        apart = np.linalg.norm(self.position[:, None] - self.position[None], axis=2)
        self.km = apart
        pull = self.size[None, :] / (apart + 8.0) ** 2
        np.fill_diagonal(pull, pull.max(axis=1) * 1.5)
        self.pull = (pull / pull.sum(axis=1, keepdims=True)).cumsum(axis=1)
        self.home = rng.choice(spec.places, spec.persons, p=self.size)
        self.tacs = _tacs(rng)
        self.model = rng.zipf(1.5, 20 * spec.persons) % len(self.tacs)

    def device(self, kind: str | None = None) -> tuple[int, int, int]:
        """A new device: its number, IMEI and model."""
        number = self.next_device
        self.next_device += 1
        model = int(self.model[number])
        if kind is not None:
            of_kind = [place for place, tac in enumerate(self.tacs) if tac.radio == kind]
            model = of_kind[number % len(of_kind)]
        return number, self.tacs[model].tac * 10**6 + (number * 7 + 11) % 10**6, model

    def line(self, person: int) -> int:
        """A new subscription."""
        self.line_person.append(person)
        self.next_line += 1
        return self.next_line - 1

    def add(self, device: tuple[int, int, int], person: int, line: int, **told: Any) -> Use:
        """Tells a use of a device by a line; for the whole period unless told otherwise."""
        number, imei, model = device
        use = Use(
            number, imei, person, line, **{"start": 0, "stop": self.spec.days,
            "rats": self.tacs[model].rats, "hardware": model, **told},
        )  # fmt: skip
        self.uses.append(use)
        return use

    def note(self, source: str, row: str) -> None:
        """A row of a list."""
        self.lists.setdefault(source, []).append(row)

    def owns(self, device: tuple[int, int, int], person: int) -> None:
        """Registers a device and mostly its owner."""
        number, imei, model = device
        tac = self.tacs[model]
        self.note(
            "registrations",
            f"{imei:014d},{tac.maker},{tac.name},,{tac.name},{tac.maker},Smartphone,,W{number}",
        )
        if self.rng.random() > self.spec.unassociated:
            self.note("associations", f"{uid(person)},{imei:014d}")

    def some_day(self, low: float = 0.15, high: float = 0.85) -> int:
        """A day of the period."""
        return int(self.rng.uniform(low, high) * self.spec.days)


@dataclass(frozen=True)
class Tac:
    """A model's row of the TAC list."""

    tac: int
    maker: str
    name: str
    radio: str
    bands: str
    rats: str


def _tacs(rng: np.random.Generator) -> list[Tac]:
    kinds = (
        ("2g", "GSM 900,GSM 1800", "002"),
        ("3g", "GSM 900,WCDMA FDD Band I", "001|002"),
        ("4g", "GSM 900,WCDMA FDD Band I,LTE FDD BAND 3", "001|006"),
        ("5g", "GSM 900,LTE FDD BAND 3,5G NR N78", "006|010"),
    )
    tacs = []
    for place in range(240):
        radio, bands, rats = (
            kinds[int(rng.choice(4, p=(0.08, 0.12, 0.5, 0.3)))] if place > 3 else kinds[place]
        )
        tacs.append(Tac(35_600_000 + place * 37, f"Maker{place % 17}", f"W{place}", radio, bands, rats))
    return tacs


def uid(person: int) -> str:
    """A person in lists."""
    return f"P{person + 1:09d}"


def build(spec: WandererSpec) -> Wanderers:
    """People with lines and devices, what happens to them, and the clones among them."""
    world = Wanderers(spec, np.random.default_rng(spec.seed))
    people = world.rng.permutation(spec.persons)
    taken = 0

    def take(share: float, least: int = 1) -> list[int]:
        nonlocal taken
        count = max(least, round(share * spec.persons)) if share > 0 else 0
        chosen = people[taken : taken + count].tolist()
        taken += count
        return [int(person) for person in chosen]

    if spec.clones:
        for kind in KINDS:
            _copy(world, kind, take(spec.clones), take)
    _circumstances(world, take)
    _ordinary(world, [int(person) for person in people[taken:]])
    return world


def _circumstances(world: Wanderers, take: Take) -> None:
    """Innocent reasons for which several lines use one IMEI."""
    spec, rng, days = world.spec, world.rng, world.spec.days
    for buyer, seller in zip(take(spec.resale), take(spec.resale), strict=True):
        device, day = world.device(), world.some_day()
        world.owns(device, seller)
        line = world.line(seller)
        world.add(device, seller, line, stop=day, story="resale")
        world.add(world.device(), seller, line, start=day, story="resale")
        world.add(device, buyer, world.line(buyer), start=day + int(rng.integers(1, 15)), story="resale")
    for one in take(spec.family):
        device = world.device()
        world.owns(device, one)
        world.add(device, one, world.line(one), story="family_phone", carrier=one)
        for other in take(1 / spec.persons)[: int(rng.integers(1, 4))]:
            world.add(device, other, world.line(other), story="family_phone", carrier=one)
    for person in take(spec.hoppers):
        device, edges = world.device(), np.linspace(0, days, 6).astype(int)
        world.owns(device, person)
        for start, stop in pairwise(edges.tolist()):
            world.add(device, person, world.line(person), start=start, stop=stop, story="sim_hopper")
    for person in take(spec.swaps):
        device, day = world.device(), world.some_day()
        world.owns(device, person)
        world.add(device, person, world.line(person), stop=day, story="sim_swap")
        world.add(device, person, world.line(person), start=day, story="sim_swap")
    for person in take(spec.benches):
        test_lines = [world.line(person) for _ in range(3)]
        for customer in take(15 / spec.persons):
            device, day = world.device(), world.some_day(0, 0.95)
            world.owns(device, customer)
            world.add(device, customer, world.line(customer), story="repair_bench")
            for line in test_lines:
                world.add(
                    device, person, line, start=day, stop=day + 1, story="repair_bench", carrier=customer
                )
    faulty = take(spec.faulty_makers, 6)
    if faulty:
        _, imei, model = world.device()
        for person in faulty:
            world.add((world.device()[0], imei, model), person, world.line(person), label="oem_error")


def _ordinary(world: Wanderers, people: Sequence[int]) -> None:
    """Everybody else: a device each, and some with a second line in its second slot."""
    rng, spec = world.rng, world.spec
    for person in people:
        device = world.device()
        world.owns(device, person)
        world.add(device, person, world.line(person))
        if rng.random() >= spec.two_lines:
            continue
        one = rng.random() < spec.one_imei
        ways = str(rng.choice(["usual", "courier", "two_homes", "flyer"], p=(0.7, 0.1, 0.1, 0.1)))
        story = {"usual": "dual_sim_one_imei"}.get(ways, ways) if one else "dual_sim"
        if one:
            world.uses[-1].story, world.uses[-1].ways, world.uses[-1].slots = story, ways, True
        second = (device[0], device[1] + (0 if one else 1), device[2])
        named = spec.persons + person if rng.random() < spec.other_name else person
        world.add(second, person, world.line(named), story=story, slots=True, ways=ways if one else "usual")


def _copy(world: Wanderers, kind: str, victims: Sequence[int], take: Take) -> None:
    """Devices of one clone class: `victims` are the owners of what is copied."""
    rng, days = world.rng, world.spec.days
    for victim in victims:
        device = world.device("2g" if kind == "mismatch" else None)
        label = f"clone_{kind}"
        start = world.some_day(0.0, 0.6) if rng.random() < 0.5 else 0
        stop, own_start, own_stop = days, 0, days
        if kind == "dead_source":
            own_stop = world.some_day(0.1, 0.4)
            start = own_stop + int(rng.integers(10, 35))
            if rng.random() < 0.5:
                world.note("scrapped", f"{device[1]:014d},{day_text(world.spec, own_stop + 1)}")
        if kind == "pre_sale":
            own_start = world.some_day(0.4, 0.8)
            start = max(0, own_start - int(rng.integers(20, 60)))
            submitted, released = (day_text(world.spec, own_start - back) for back in (60, 5))
            world.note("imports", f"{device[1]:014d},C1,Importer,{submitted},{released}")
        world.owns(device, victim)
        line = world.line(victim)
        world.add(device, victim, line, start=own_start, stop=own_stop, story="ordinary")
        if kind == "dead_source":
            world.add(world.device(), victim, line, start=own_stop)
        if kind == "pre_sale":
            world.add(world.device(), victim, line, stop=own_start)
        count = 1 if kind != "cluster" else 2 + int(min(rng.geometric(0.25), 40))
        for clone in take(count / world.spec.persons):
            number, _, model = world.device("4g")
            hardware = device[2] if kind == "replica" or rng.random() < 0.4 else 1000 + int(rng.integers(25))
            rats = (
                "001|006" if kind == "mismatch" else world.tacs[device[2] if hardware < 1000 else model].rats
            )
            if kind != "mismatch" and hardware >= 1000 and rng.random() < 0.7:
                rats = world.tacs[device[2]].rats
            if kind == "near":
                world.home[clone] = world.home[victim]
            elif kind == "far" and world.home[clone] == world.home[victim]:
                world.home[clone] = (world.home[victim] + 1) % world.spec.places
            told: dict[str, Any] = {"rats": rats, "hardware": hardware, "label": label, "holder": False}
            if kind == "rotating":
                _rotate(world, clone, number, device, take, told)
            else:
                world.add(
                    (number, device[1], model), clone, world.line(clone), start=start, stop=stop, **told
                )


def _rotate(
    world: Wanderers, clone: int, number: int, first: tuple[int, int, int], take: Take, told: dict[str, Any]
) -> None:
    """A device that takes another of four copied IMEIs every few days."""
    pool = [first]
    for victim in take(3 / world.spec.persons):
        device = world.device()
        world.owns(device, victim)
        world.add(device, victim, world.line(victim))
        pool.append(device)
    line, day, turn = world.line(clone), 0, 0
    while day < world.spec.days:
        stop = min(world.spec.days, day + int(world.rng.integers(3, 10)))
        _, imei, model = pool[turn % len(pool)]
        world.add((number, imei, model), clone, line, start=day, stop=stop, **told)
        day, turn = stop, turn + 1


def day_text(spec: WandererSpec, day: int) -> str:
    """A day of the period as files write it."""
    return f"{spec.last_day - timedelta(days=spec.days - 1 - day):%Y%m%d}"


def operator_of(spec: WandererSpec, line: int) -> int:
    """Position of a line's operator."""
    return (line * 2_654_435_761 >> 7) % len(spec.operators)


def imsi(spec: WandererSpec, line: int) -> str:
    """15 digits; lines are scattered over the numbers."""
    return f"{spec.operators[operator_of(spec, line)][1]}{(line * 7_368_787 + 1_000_003) % 10**10:010d}"
