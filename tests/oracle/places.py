"""Rules about where an identity was and what it showed of itself: sightings and fingerprints."""

import math
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import NamedTuple

from .rules import WINDOW, Moment, Parameters, Question, Rule
from .sharing import span
from .world import Equipment, Fingerprint, Sighting, World, is_valid_imsi

_EARTH_M = 6_371_009
_DAY = 86_400

DEFAULTS = {
    "limit_kmh": 1_000,
    "clock_skew_seconds": 60,
    "clock_skew_between_seconds": 300,
    "swap_seconds": 0,
    "overlap_seconds": 60,
    "cell_radius_m": 5_000,
    "longest_hours": 6,
    "night_from_hour": 20,
    "night_hours": 10,
    "area_km": 15,
    "least_nights": 3,
    "separate_km": 30,
    "apart_km": 10,
}


class Step(NamedTuple):
    """A sighting with its place, if anybody knows it, its end as far as it is believed."""

    started_at: int
    ended_at: int
    imsi: str
    cell: str | None
    operator: str


class Pair(NamedTuple):
    """A contradiction."""

    day: int
    at_once: bool
    journey: bool


class Sightings:
    """What sightings of a window tell about a piece of equipment."""

    def __init__(self, moment: Moment, parameters: Parameters) -> None:
        self.world: World = moment.world
        self.p = {**DEFAULTS, **{k: v for k, v in parameters.items() if k in DEFAULTS}}
        start, end = span(moment, parameters)
        self.first, self.end = _seconds(start), _seconds(end)

    def in_window(self, imei: str) -> list[Sighting]:
        found = (self.world.sightings or {}).get(imei, ())
        return sorted(s for s in found if self.first <= s.started_at < self.end)

    def steps(self, equipment: Equipment) -> list[Step]:
        """Its sightings, if two or more valid IMSIs were sighted with it."""
        cells, longest = self.world.cells or {}, self.p["longest_hours"] * 3600
        steps = [
            Step(
                s.started_at,
                min(s.ended_at, s.started_at + longest),
                s.imsi,
                s.cell if s.cell in cells else None,
                s.operator,
            )
            for s in self.in_window(equipment.imei)
            if is_valid_imsi(s.imsi)
        ]
        return steps if len({step.imsi for step in steps}) >= 2 else []

    def beyond(self, one: str, other: str) -> int:
        """Metres between the near edges of two cells, by the straight line through the Earth."""
        cells, usual = self.world.cells or {}, self.p["cell_radius_m"]
        radii = [cells[c].radius_m for c in (one, other)]
        reach = sum(usual if radius is None else radius for radius in radii)
        here, there = (_vector(cells[c].latitude, cells[c].longitude) for c in (one, other))
        return max(int(math.dist(here, there)) - reach, 0)

    def speed(self, one: str, other: str, seconds: int) -> int:
        """Kilometres an hour, rounded down."""
        return self.beyond(one, other) * 18 // (5 * max(seconds, 1))

    def doubtful(self, steps: list[Step]) -> set[str]:
        """Cells between which one of the subscribers himself jumped, or that no other cell is near to."""
        found: set[str] = set()
        nearest: dict[str, int] = {}
        for imsi in {step.imsi for step in steps}:
            own = sorted(
                (s.started_at, s.ended_at, s.cell) for s in steps if s.imsi == imsi and s.cell is not None
            )
            for (_, left, before), (start, _, cell) in pairwise(own):
                if cell == before:
                    continue
                seconds = max(start - left, 0) + self.p["clock_skew_seconds"]
                if self.speed(before, cell, seconds) > self.p["limit_kmh"]:
                    found |= {before, cell}
                for end in (before, cell):
                    apart = self.beyond(before, cell)
                    nearest[end] = min(nearest.get(end, apart), apart)
        return found | {cell for cell, apart in nearest.items() if apart > self.p["area_km"] * 1000}

    def contradictions(self, steps: list[Step]) -> list[Pair]:
        doubtful = self.doubtful(steps)
        operators = {step.operator for step in steps}
        found = []
        for operator in operators:
            own = _in_order([step for step in steps if step.operator == operator])
            skew = self.p["clock_skew_seconds"]
            found += [self._pair(a, b, skew, doubtful) for a, b in pairwise(own) if a.imsi != b.imsi]
        skew = self.p["clock_skew_between_seconds"]
        found += [
            self._pair(a, b, skew, doubtful)
            for a, b in pairwise(_in_order(steps))
            if a.imsi != b.imsi and a.operator != b.operator
        ]
        return [pair for pair in found if pair.at_once or pair.journey]

    def _pair(self, a: Step, b: Step, skew: int, doubtful: set[str]) -> Pair:
        p, between = self.p, b.started_at - a.ended_at
        at_once = between < p["swap_seconds"] - p["overlap_seconds"] - skew
        journey = False
        if a.cell is not None and b.cell is not None and not {a.cell, b.cell} & doubtful:
            seconds = max(between, 0) + skew - p["swap_seconds"]
            journey = self.speed(a.cell, b.cell, seconds) > p["limit_kmh"]
        return Pair(b.started_at // _DAY, at_once, journey)


def _in_order(steps: list[Step]) -> list[Step]:
    """As time goes; of those alike in all else, a cell that nobody knows comes last."""
    return sorted(
        steps, key=lambda s: (s.started_at, s.ended_at, _number(s.imsi), s.cell is None, s.cell or "")
    )


def _number(imsi: str) -> int:
    """IMSIs are ordered as numbers, those of fewer digits first."""
    return int(f"1{imsi}")


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _vector(latitude: int, longitude: int) -> tuple[float, float, float]:
    up, along = math.radians(latitude / 1e6), math.radians(longitude / 1e6)
    out = _EARTH_M * math.cos(up)
    return (out * math.cos(along), out * math.sin(along), _EARTH_M * math.sin(up))


def _of_several(equipment: Equipment) -> bool:
    return len({imsi for imsi, _, _ in equipment.uses if imsi}) >= 2


def _nobody_knows(equipment: Equipment) -> bool | None:
    """Of what was not sighted with several: one subscriber contradicts nobody, of several nobody knows."""
    return None if _of_several(equipment) else False


def _never_known(_: Equipment) -> None:
    return None


def simultaneous_sessions(moment: Moment, parameters: Parameters) -> Question:
    if moment.world.sightings is None:
        return _never_known
    sightings = Sightings(moment, parameters)

    def ask(equipment: Equipment) -> bool | None:
        steps = sightings.steps(equipment)
        if not steps:
            return _nobody_knows(equipment)
        days = {pair.day for pair in sightings.contradictions(steps) if pair.at_once}
        return bool(len(days) >= parameters.get("days", 3))

    return ask


def _located(steps: list[Step]) -> bool:
    return len({step.imsi for step in steps if step.cell is not None}) >= 2


def impossible_journey(moment: Moment, parameters: Parameters) -> Question:
    if moment.world.sightings is None or moment.world.cells is None:
        return _never_known
    sightings = Sightings(moment, parameters)

    def ask(equipment: Equipment) -> bool | None:
        steps = sightings.steps(equipment)
        if not _located(steps):
            return _nobody_knows(equipment)
        days = {pair.day for pair in sightings.contradictions(steps) if pair.journey}
        return bool(len(days) >= parameters.get("days", 2))

    return ask


def separate_homes(moment: Moment, parameters: Parameters) -> Question:
    """For two areas; more are not asked for here."""
    if moment.world.sightings is None or moment.world.cells is None:
        return _never_known
    assert parameters.get("areas", 2) == 2
    sightings = Sightings(moment, parameters)
    p = sightings.p

    def ask(equipment: Equipment) -> bool | None:
        steps = sightings.steps(equipment)
        if not _located(steps):
            return _nobody_knows(equipment)
        doubtful = sightings.doubtful(steps)
        homes: dict[str, tuple[str, set[int]]] = {}
        for imsi in {step.imsi for step in steps}:
            home = home_of(sightings, [s for s in steps if s.imsi == imsi], doubtful)
            if home is not None:
                homes[imsi] = home
        met: dict[tuple[str, str], int] = {}
        for night in set().union(*(nights for _, nights in homes.values())) if homes else ():
            there = sorted((i for i, (_, nights) in homes.items() if night in nights), key=_number)
            for other in there[1:]:
                met[there[0], other] = met.get((there[0], other), 0) + 1
        return any(
            nights >= p["least_nights"]
            and sightings.beyond(homes[a][0], homes[b][0]) >= p["separate_km"] * 1000
            for (a, b), nights in met.items()
        )

    return ask


def home_of(sightings: Sightings, steps: list[Step], doubtful: set[str]) -> tuple[str, set[int]] | None:
    """The home cell of a subscriber and his nights near it; None: he has none that is stable."""
    p = sightings.p
    last: dict[int, tuple[int, str]] = {}
    for step in steps:
        since = step.started_at - p["night_from_hour"] * 3600
        if step.cell is not None and since % _DAY < p["night_hours"] * 3600:
            night = since // _DAY
            last[night] = max(last.get(night, (0, "")), (step.started_at, step.cell))
    nights = {night: cell for night, (_, cell) in last.items() if cell not in doubtful}
    if not nights:
        return None
    spent = list(nights.values())
    home = min(set(spent), key=lambda cell: (-spent.count(cell), cell))
    near = {n for n, cell in nights.items() if sightings.beyond(cell, home) <= p["area_km"] * 1000}
    stable = len(near) >= p["least_nights"] and len(near) * 100 >= len(nights) * 60
    return (home, near) if stable else None


def pair_never_together(moment: Moment, parameters: Parameters) -> Question:
    world = moment.world
    if world.sightings is None or world.cells is None or world.device_of is None:
        return _never_known
    sightings, cells = Sightings(moment, parameters), world.cells
    members: dict[str, list[str]] = {}
    for imei, device in world.device_of.items():
        members.setdefault(device, []).append(imei)

    def slots(imei: str) -> dict[int, set[str]]:
        found: dict[int, set[str]] = {}
        for s in sightings.in_window(imei):
            if s.cell in cells:
                found.setdefault(s.started_at // 900, set()).add(s.cell)
        return found

    def ask(equipment: Equipment) -> bool | None:
        device = (world.device_of or {}).get(equipment.imei)
        mates = members[device] if device is not None else []
        if not 2 <= len(mates) <= 4:
            return None
        own, answers = slots(equipment.imei), []
        for mate in mates:
            theirs = slots(mate)
            both = own.keys() & theirs.keys() if mate != equipment.imei else set()
            apart = {
                slot: min(sightings.beyond(a, b) for a in own[slot] for b in theirs[slot])
                > sightings.p["apart_km"] * 1000
                for slot in both
            }
            if apart:
                answers.append(len({slot * 900 // _DAY for slot in apart}) if all(apart.values()) else 0)
        return max(answers) >= parameters.get("days", 3) if answers else None

    return ask


class Prints:
    """Fingerprints of a window of equipment that two or more valid IMSIs showed one with."""

    def __init__(self, moment: Moment, parameters: Parameters) -> None:
        self.world = moment.world
        self.start, self.end = span(moment, parameters)

    def of(self, equipment: Equipment) -> list[Fingerprint]:
        found = (self.world.fingerprints or {}).get(equipment.imei, ())
        inside = sorted(f for f in found if self.start <= f.seen_on < self.end and is_valid_imsi(f.imsi))
        return inside if len({f.imsi for f in inside}) >= 2 else []


def software_flip_flop(moment: Moment, parameters: Parameters) -> Question:
    if moment.world.fingerprints is None:
        return _never_known
    prints = Prints(moment, parameters)

    def ask(equipment: Equipment) -> bool | None:
        told = prints.of(equipment)
        versions = sorted({(f.seen_on, f.software_version) for f in told if f.software_version})
        if not versions:
            return _nobody_knows(equipment)
        flips = sum(after < before for (_, before), (_, after) in pairwise(versions))
        return bool(flips >= parameters.get("times", 4))

    return ask


def fingerprint_disagreement(moment: Moment, parameters: Parameters) -> Question:
    if moment.world.fingerprints is None:
        return _never_known
    prints = Prints(moment, parameters)

    def days(told: list[Fingerprint], what: str) -> int:
        shown = {(f.seen_on, _number(f.imsi), str(getattr(f, what))) for f in told if getattr(f, what)}
        often = {word for _, _, word in shown if len({day for day, _, w in shown if w == word}) > 1}
        in_turn = sorted(entry for entry in shown if entry[2] in often)
        return len({b[0] for a, b in pairwise(in_turn) if a[1] != b[1] and a[2] != b[2]})

    def ask(equipment: Equipment) -> bool | None:
        told = prints.of(equipment)
        if not told:
            return _nobody_knows(equipment)
        least = parameters.get("days", 3)
        return any(days(told, what) >= least for what in ("capability", "agent", "software_version"))

    return ask


_MEETINGS = (
    *("limit_kmh", "clock_skew_seconds", "clock_skew_between_seconds", "swap_seconds", "overlap_seconds"),
    *("cell_radius_m", "longest_hours", *WINDOW),
)
_HOMES = (
    *("night_from_hour", "night_hours", "area_km", "least_nights", "separate_km", "limit_kmh"),
    *("clock_skew_seconds", "cell_radius_m", "longest_hours", *WINDOW),
)

RULES: dict[str, tuple[Rule, tuple[str, ...]]] = {
    "simultaneous_sessions": (simultaneous_sessions, ("days", *_MEETINGS)),
    "impossible_journey": (impossible_journey, ("days", *_MEETINGS)),
    "separate_homes": (separate_homes, ("areas", *_HOMES)),
    "pair_never_together": (pair_never_together, ("days", "apart_km", "cell_radius_m", *WINDOW)),
    "software_flip_flop": (software_flip_flop, ("times", *WINDOW)),
    "fingerprint_disagreement": (fingerprint_disagreement, ("days", *WINDOW)),
}
