"""A second country with hidden truth, of another make than `ceir.testing.country`, to be judged on only.

People explore and return (Song, Koren, Wang and Barabasi 2010): at each move they go to a new place with a
chance that falls with the places they know, chosen by gravity, or back to a known one, the more often the
more they were there. Activity comes in streaks, random numbers from numpy's PCG64. Only the formats of files
and of the truth are shared with the first generator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Array = NDArray[Any]

EXPLORE, FADING = 0.6, 0.21
"""Chance of a new place: EXPLORE * known ** -FADING (Song et al. 2010)."""

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
        self.note("registrations", f"{imei:014d},{tac.maker},{tac.name},,{tac.name},{tac.maker},Smartphone,,W{number}")
        if self.rng.random() > self.spec.unassociated:
            self.note("associations", f"{_uid(person)},{imei:014d}")

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
        radio, bands, rats = kinds[int(rng.choice(4, p=(0.08, 0.12, 0.5, 0.3)))] if place > 3 else kinds[place]
        tacs.append(Tac(35_600_000 + place * 37, f"Maker{place % 17}", f"W{place}", radio, bands, rats))
    return tacs


def _uid(person: int) -> str:
    return f"P{person + 1:09d}"


def build(spec: WandererSpec) -> Wanderers:
    """People with lines and devices, what happens to them, and the clones among them."""
    world = Wanderers(spec, np.random.default_rng(spec.seed))
    rng, days = world.rng, spec.days
    people = rng.permutation(spec.persons)
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
        for start, stop in zip(edges[:-1], edges[1:], strict=True):
            world.add(device, person, world.line(person), start=int(start), stop=int(stop), story="sim_hopper")
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
                world.add(device, person, line, start=day, stop=day + 1, story="repair_bench", carrier=customer)
    faulty = take(spec.faulty_makers, 6)
    if faulty:
        _, imei, model = world.device()
        for person in faulty:
            world.add((world.device()[0], imei, model), person, world.line(person), label="oem_error")
    for person in [int(p) for p in people[taken:]]:
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
        world.add(second, person, world.line(person), story=story, slots=True, ways=ways if one else "usual")
    return world


def _copy(world: Wanderers, kind: str, victims: Sequence[int], take: Any) -> None:
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
                world.note("scrapped", f"{device[1]:014d},{_text(world.spec, own_stop + 1)}")
        if kind == "pre_sale":
            own_start = world.some_day(0.4, 0.8)
            start = max(0, own_start - int(rng.integers(20, 60)))
            world.note("imports", f"{device[1]:014d},C1,Importer,{_text(world.spec, own_start - 60)},{_text(world.spec, own_start - 5)}")
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
            rats = "001|006" if kind == "mismatch" else world.tacs[device[2] if hardware < 1000 else model].rats
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
                world.add((number, device[1], model), clone, world.line(clone), start=start, stop=stop, **told)


def _rotate(
    world: Wanderers, clone: int, number: int, first: tuple[int, int, int], take: Any, told: dict[str, Any]
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


def _text(spec: WandererSpec, day: int) -> str:
    return f"{spec.last_day - timedelta(days=spec.days - 1 - day):%Y%m%d}"


def active_days(world: Wanderers) -> NDArray[np.bool_]:
    """Which use (row) is active on which day (column): a chain that stays in its state for some days."""
    rng, days = world.rng, world.spec.days
    count = len(world.uses)
    rest = rng.beta(2, 6, world.next_line)[[use.line for use in world.uses]]
    state = rng.random(count) > rest
    out = np.zeros((count, days), dtype=np.bool_)
    for day in range(days):
        drawn = rng.random(count)
        state = np.where(state, drawn > 0.5 * rest, drawn < 0.5 * (1 - rest))
        out[:, day] = state
    span = np.arange(days)
    start = np.asarray([use.start for use in world.uses])[:, None]
    stop = np.asarray([use.stop for use in world.uses])[:, None]
    out &= (span >= start) & (span < stop)
    return out


def ways(world: Wanderers, carrier: int, kind: str, first: int) -> tuple[Array, Array, Array, Array]:
    """Times of arrival (s from the first day), places and positions in them, and hours on the way before."""
    rng, spec = world.rng, world.spec
    home = int(world.home[carrier])
    known, visits = [home], [20.0]
    spots = [rng.normal(0, 2.5, 2)]
    if kind == "two_homes":
        known.append(int(np.argsort(world.km[home])[1]))
        visits.append(12.0)
        spots.append(rng.normal(0, 2.5, 2))
    now, at = first * 86_400.0, 0
    end = spec.days * 86_400.0
    wait_h = {"courier": 2.0, "flyer": 9.0, "two_homes": 20.0}.get(kind, 7.0)
    arrived, place, spot, way = [now], [home], [spots[0]], [0.0]
    while now < end:
        now += min((rng.pareto(0.8) + 0.3) * wait_h / 2, 60.0) * 3600
        if rng.random() < EXPLORE * 0.3 * len(known) ** -FADING:
            goal = int(np.searchsorted(world.pull[known[at]], rng.random()))
            if kind == "flyer" and rng.random() < 0.3:
                goal = int(rng.choice(spec.places, p=world.size))
            known.append(min(goal, spec.places - 1))
            visits.append(1.0)
            spots.append(rng.normal(0, 2.5, 2))
            target = len(known) - 1
        else:
            weight = np.cumsum(visits)
            target = int(np.searchsorted(weight, rng.random() * weight[-1]))
        km = float(world.km[known[at], known[target]])
        speed = 600.0 if kind == "flyer" and km > 150 else float(rng.uniform(40, 90))
        hours = (km + 3.0) / speed + (2.0 if speed == 600.0 else 0.05)
        now += hours * 3600
        at = target
        visits[at] += 1
        arrived.append(now)
        place.append(known[at])
        spot.append(spots[at])
        way.append(hours)
    return np.asarray(arrived), np.asarray(place), np.asarray(spot), np.asarray(way)


def cells(world: Wanderers) -> tuple[list[str], dict[tuple[int, int], tuple[list[str], Array]]]:
    """Rows of the list, and each operator's cells in each place with their true offsets in km."""
    rng, rows, there = world.rng, [], {}
    for place in range(world.spec.places):
        for number, (operator, _) in enumerate(world.spec.operators):
            count = 2 + int(30 * world.size[place] ** 0.7)
            offset = rng.normal(0, 3.0, (count, 2))
            names = [f"{operator[-1]}W{place:02d}{at:03d}" for at in range(count)]
            there[number, place] = (names, offset)
            for name, (north, east) in zip(names, world.position[place] + offset, strict=True):
                if rng.random() < 0.003:  # an error in the operator's list
                    north, east = rng.uniform(0, 320, 2)
                rows.append(f"{name},{45 + north / 111.2:.6f},{5 + east / 78.6:.6f},{int(rng.uniform(1500, 6000))}")
    return rows, there


def sightings(world: Wanderers, active: NDArray[np.bool_], there: Mapping[Any, Any]) -> dict[str, list[list[str]]]:
    """Rows by operator, those in time and those that came late; of uses whose IMEI is shared, and a few."""
    rng, spec = world.rng, world.spec
    first = max(0, spec.days - spec.sighted_days)
    chosen = _worth_seeing(world)
    begin = datetime(spec.last_day.year, spec.last_day.month, spec.last_day.day, tzinfo=UTC)
    begin -= timedelta(days=spec.days - 1)
    skew = rng.integers(-spec.skew_s, spec.skew_s + 1, len(spec.operators))
    in_hand: dict[tuple[int, int], list[int]] = {}
    for use in chosen:
        for day in np.flatnonzero(active[use, first:]).tolist():
            in_hand.setdefault((world.uses[use].device, day + first), []).append(use)
    tracks: dict[tuple[int, str], Any] = {}
    out: dict[str, list[list[str]]] = {operator: [[], []] for operator, _ in spec.operators}
    for number in chosen:
        use = world.uses[number]
        carrier = use.carrier if use.carrier >= 0 else use.person
        track = tracks.get((carrier, use.ways))
        if track is None:
            track = tracks[carrier, use.ways] = ways(world, carrier, use.ways, first)
        times = _times(world, use, number, np.flatnonzero(active[number, first:]) + first, in_hand)
        arrived, place, spot, way = track
        at = np.searchsorted(arrived, times, side="right") - 1
        after = np.minimum(at + 1, len(arrived) - 1)
        moving = times > arrived[after] - way[after] * 3600
        operator = _operator(spec, use.line)
        lasts = np.minimum(rng.exponential(70, len(times)) + 1, 400).astype(int)
        for second, stay, length in zip(times[~moving].tolist(), at[~moving].tolist(), lasts[~moving].tolist(), strict=True):
            names, offset = there[operator, int(place[stay])]
            nearest = np.argsort(((offset - spot[stay]) ** 2).sum(axis=1))[:2]
            name = names[int(nearest[0 if rng.random() < 0.8 else -1])]
            if rng.random() < spec.stray:
                strange = there[operator, int(rng.integers(spec.places))][0]
                name = strange[int(rng.integers(len(strange)))]
            start = begin + timedelta(seconds=second + int(skew[operator]))
            stop = start + timedelta(seconds=length)
            if start < begin + timedelta(days=first) or stop >= begin + timedelta(days=spec.days):
                continue
            row = f"{use.imei:014d},{imsi(spec, use.line)},{name},{start:%Y-%m-%dT%H:%M:%SZ},{stop:%Y-%m-%dT%H:%M:%SZ}"
            out[spec.operators[operator][0]][int(rng.random() < spec.late)].append(row)
    return out


def _worth_seeing(world: Wanderers) -> list[int]:
    lines: dict[int, set[int]] = {}
    for use in world.uses:
        lines.setdefault(use.imei, set()).add(use.line)
    some = world.rng.random(len(world.uses)) < 0.02
    return [n for n, use in enumerate(world.uses) if len(lines[use.imei]) > 1 or some[n]]


def _times(
    world: Wanderers, use: Use, number: int, days: Array, in_hand: Mapping[tuple[int, int], list[int]]
) -> NDArray[np.int64]:
    """Moments of events: by day and night, and only while the SIM is in the phone."""
    rng = world.rng
    found: list[int] = []
    for day in days.tolist():
        count = int(rng.poisson(rng.gamma(2.0, world.spec.events_a_day / 2)))
        second = rng.normal(15.0, 4.5, count) % 24 * 3600
        others = in_hand[use.device, day]
        if not use.slots and len(others) > 1:
            # One after the other has the phone, and changing the SIM takes five minutes.
            part = 86_400 / len(others)
            turn = (others.index(number) + day) % len(others)
            second = turn * part + 300 + second / 86_400 * (part - 900)
        found += [day * 86_400 + int(s) for s in second]
    return np.asarray(sorted(found), dtype=np.int64)


def fingerprints(world: Wanderers, active: NDArray[np.bool_]) -> dict[str, list[str]]:
    """Rows by operator: versions only go up, words belong to hardware and owner."""
    rng, spec = world.rng, world.spec
    out: dict[str, list[str]] = {operator: [] for operator, _ in spec.operators}
    first = max(0, spec.days - spec.sighted_days)
    for number in _worth_seeing(world):
        use = world.uses[number]
        own = np.random.default_rng((spec.seed, use.device))
        base, begun, slow = (int(own.integers(limit)) for limit in (6, 60, 40))
        for day in np.flatnonzero(active[number, first:]).tolist():
            if rng.random() > 0.3:
                continue
            version = (use.hardware * 7 % 50 + base + max(0, day + first + begun - slow) // 60) % 100
            odd = int(rng.integers(1, 9)) if rng.random() < 0.01 else 0
            word = f"c{use.hardware:05d}{odd}"
            agent = f"a{use.hardware:05d}{int(own.integers(3)) if rng.random() < 0.02 else base}"
            operator = spec.operators[_operator(spec, use.line)][0]
            out[operator].append(f"{use.imei:014d},{imsi(spec, use.line)},{_text(spec, day + first)},{version:02d},{word},{agent}")
    return out


def _operator(spec: WandererSpec, line: int) -> int:
    return (line * 2_654_435_761 >> 7) % len(spec.operators)


def imsi(spec: WandererSpec, line: int) -> str:
    """15 digits; lines are scattered over the numbers."""
    return f"{spec.operators[_operator(spec, line)][1]}{(line * 7_368_787 + 1_000_003) % 10**10:010d}"


def write(spec: WandererSpec, out: Path) -> dict[str, list[Path]]:
    """Writes all files and `truth.parquet`; equal specs give equal files.

    Returns: the files of each source, those that came late last.
    """
    world = build(spec)
    active = active_days(world)
    out.mkdir(parents=True)
    files: dict[str, list[Path]] = {}

    def save(source: str, name: str, header: str, rows: Sequence[str]) -> None:
        path = out / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8", newline="\n")
        files.setdefault(source, []).append(path)

    _save_lists(world, save)
    _save_observations(world, active, save)
    if spec.sighted_days:
        rows, there = cells(world)
        save("cells", "cells.csv", "cell,latitude,longitude,radius_m", rows)
        span = f"{_text(spec, max(0, spec.days - spec.sighted_days))}_{_text(spec, spec.days - 1)}"
        seen = sightings(world, active, there)
        for turn, kind in enumerate(("sightings", "sightings-late")):
            for operator, parts in seen.items():
                save("sightings", f"{operator}_{kind}_{span}.csv", "imei,imsi,cell,started_at,ended_at", parts[turn])
        for operator, told in fingerprints(world, active).items():
            header = "imei,imsi,seen_on,software_version,capability,agent"
            save("fingerprints", f"{operator}_fingerprints_{span}.csv", header, told)
    pq.write_table(_truth(world, active), out / "truth.parquet")
    return files


def _save_lists(world: Wanderers, save: Any) -> None:
    head = "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code|" \
        "Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|Device Type"  # fmt: skip
    save("tac", "tac.txt", head, [
        f"{t.tac}|{t.name}|{t.name}|{t.maker}|{t.bands}|01-Jan-2020|||||{t.maker}|{t.name}||N|N|N|Smartphone"
        for t in world.tacs
    ])  # fmt: skip
    spec = world.spec
    for line, person in enumerate(world.line_person):
        world.note("subscribers", f"{_uid(person)},{imsi(spec, line)}")
    headers = {
        "registrations": "approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,device_id",
        "associations": "uid,imei",
        "subscribers": "uid,imsi",
        "imports": "imei,consignment,importer,submitted_on,released_on",
        "scrapped": "imei,scrapped_on",
        "pairings": "imei,imsi,msisdn",
        "golden": "golden_imei",
    }
    for source, header in headers.items():
        save(source, f"{source}.csv", header, world.lists.get(source, []))


def _save_observations(world: Wanderers, active: NDArray[np.bool_], save: Any) -> None:
    rng, spec = world.rng, world.spec
    rows: dict[tuple[str, int], list[str]] = {}
    texts = [_text(spec, day) for day in range(spec.days)]
    for number, use in enumerate(world.uses):
        operator = spec.operators[_operator(spec, use.line)][0]
        days = np.flatnonzero(active[number])
        told = f"{use.imei:014d},{imsi(spec, use.line)},22{use.line + 10**9:010d}"
        best = use.rats.split("|")[-1]
        for day, drawn in zip(days.tolist(), rng.random(len(days)).tolist(), strict=True):
            rat = use.rats if drawn < 0.3 else best if drawn < 0.95 else use.rats.split("|", maxsplit=1)[0]
            rows.setdefault((operator, int(texts[day][:6])), []).append(f"{texts[day]},{told},{rat}")
    for (operator, month), found in sorted(rows.items(), key=lambda item: (item[0][1], item[0][0])):
        days_there = sorted(text for text in texts if int(text[:6]) == month)
        found.sort()
        save("observations", f"{operator}_{days_there[0]}_{days_there[-1]}.csv", "date,imei,imsi,msisdn,rat", found)


def _truth(world: Wanderers, active: NDArray[np.bool_]) -> pa.Table:
    spec = world.spec
    begin = spec.last_day - timedelta(days=spec.days - 1)
    rows = []
    for number, use in enumerate(world.uses):
        days = np.flatnonzero(active[number])
        if len(days):
            rows.append(
                {
                    "device_id": use.device, "imei": f"{use.imei:014d}", "imsi": imsi(spec, use.line),
                    "msisdn": f"22{use.line + 10**9:010d}",
                    "operator": spec.operators[_operator(spec, use.line)][0], "label": use.label,
                    "story": use.story, "is_genuine_holder": use.holder,
                    "town": f"W{world.home[use.person]:02d}", "person": _uid(use.person),
                    "first_seen": begin + timedelta(days=int(days[0])),
                    "last_seen": begin + timedelta(days=int(days[-1])), "active_days": len(days),
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows)
