"""Rungs of the ladder that rest on where people live and on what their devices declare, in plain Python."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from .places import Sightings, home_of
from .rules import moment_of
from .world import Equipment, World, is_valid_imsi, is_well_formed

Lines = Mapping[str, list[str]]
"""The subscribers of each person."""


class Declared(NamedTuple):
    """What a device declared on a day."""

    imei: str
    imsi: str
    operator: str
    seen_on: date
    capability: str


def home_votes(
    world: World,
    policy: Mapping[str, Any],
    as_of: date,
    parameters: Mapping[str, Any],
    equipment: Equipment,
    since: Mapping[str, date],
    lines: Lines,
) -> set[str]:
    """Who alone lives where the identity lived before it had a second user."""
    begun = sorted(min(since[i] for i in own) for own in lines.values())
    if world.sightings is None or world.cells is None or len(begun) < 2:
        return set()
    shared = (begun[1] - date(1970, 1, 1)).days
    sightings = Sightings(moment_of(world, dict(policy), as_of, None), dict(parameters))
    area, least = sightings.p["area_km"] * 1000, sightings.p["least_nights"]
    steps = sightings.steps(equipment)
    doubtful = sightings.doubtful(steps)
    early: list[str] = []
    late: dict[str, str] = {}
    for imsi in {step.imsi for step in steps}:
        home = home_of(sightings, [s for s in steps if s.imsi == imsi], doubtful)
        if home is not None:
            cell, nights = home
            early += [cell for night in nights if night < shared]
            if sum(night >= shared for night in nights) >= least:
                late[imsi] = cell
    if len(early) < least or len(set(early)) != 1:
        return set()
    there = {i for i, cell in late.items() if i in since and sightings.beyond(cell, early[0]) <= area}
    persons = [person for person, own in lines.items() if there & set(own)]
    return there if len(persons) == 1 else set()


def capability_votes(
    world: World,
    as_of: date,
    parameters: Mapping[str, Any],
    equipment: Equipment,
    lines: Lines,
    present: Iterable[str],
) -> tuple[set[str], set[str]]:
    """Whose device alone declares what is usual for its model, and whose declares what is not."""
    if world.fingerprints is None or not is_well_formed(equipment.imei):
        return set(), set()
    end = as_of + timedelta(days=1)
    start = end - timedelta(days=parameters["window_days"])
    told = {
        Declared(imei, f.imsi, f.operator, f.seen_on, f.capability)
        for imei, found in world.fingerprints.items()
        if is_well_formed(imei) and imei[:8] == equipment.tac
        for f in found
        if f.capability and is_valid_imsi(f.imsi) and start <= f.seen_on < end
    }
    users: dict[str, set[str]] = {}
    for d in told:
        users.setdefault(d.imei, set()).add(d.imsi)
    devices: dict[str, set[str]] = {}
    words: dict[tuple[str, str], set[str]] = {}
    for d in told:
        if len(users[d.imei]) == 1:
            devices.setdefault(d.operator, set()).add(d.imei)
            words.setdefault((d.operator, d.capability), set()).add(d.imei)
    alike, strange = set(), set()
    for imsi in users.get(equipment.imei, ()):
        own = [d for d in told if (d.imei, d.imsi) == (equipment.imei, imsi)]
        known = [d for d in own if len(devices.get(d.operator, ())) >= 20]
        of = [(len(words.get((d.operator, d.capability), ())), len(devices[d.operator])) for d in known]
        if len(known) >= 3 and any(imsi in mine for mine in lines.values()):
            if 10 * sum(n >= 3 and 10 * n >= all_ for n, all_ in of) >= 8 * len(known):
                alike.add(imsi)
            if 10 * sum(50 * n < all_ for n, all_ in of) >= 8 * len(known):
                strange.add(imsi)
    there = set(present)
    now = {person: {i for i in own if i in there} for person, own in lines.items()}
    now = {person: own for person, own in now.items() if own}
    like = [person for person, own in now.items() if own & alike and not own & strange]
    unlike = [person for person, own in now.items() if own <= strange]
    alone = len(like) == 1 and len(now) > 1 and len(unlike) == len(now) - 1
    return (set(lines[like[0]]) if alone else set()), strange
