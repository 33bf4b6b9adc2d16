"""The files of the second country: activity in streaks, ways by exploration and return, lists and truth."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clones.wanderers import Use, Wanderers, WandererSpec, build, day_text, imsi, operator_of, uid

Array = NDArray[Any]

EXPLORE, FADING = 0.6, 0.21
"""Chance of a new place: EXPLORE * known ** -FADING (Song et al. 2010)."""


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
            for name, true in zip(names, world.position[place] + offset, strict=True):
                # A few positions in an operator's list are wrong.
                north, east = rng.uniform(0, 320, 2) if rng.random() < 0.003 else true
                rows.append(
                    f"{name},{45 + north / 111.2:.6f},{5 + east / 78.6:.6f},{int(rng.uniform(1500, 6000))}"
                )
    return rows, there


def sightings(
    world: Wanderers, active: NDArray[np.bool_], there: Mapping[Any, Any]
) -> dict[str, list[list[str]]]:
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
        operator = operator_of(spec, use.line)
        lasts = np.minimum(rng.exponential(70, len(times)) + 1, 400).astype(int)
        for second, stay, length in zip(
            times[~moving].tolist(), at[~moving].tolist(), lasts[~moving].tolist(), strict=True
        ):
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
            span = f"{start:%Y-%m-%dT%H:%M:%SZ},{stop:%Y-%m-%dT%H:%M:%SZ}"
            row = f"{use.imei:014d},{imsi(spec, use.line)},{name},{span}"
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
    """Rows by operator: versions mostly go up, words belong to hardware and owner."""
    rng, spec = world.rng, world.spec
    out: dict[str, list[str]] = {operator: [] for operator, _ in spec.operators}
    first = max(0, spec.days - spec.sighted_days)
    for number in _worth_seeing(world):
        use = world.uses[number]
        own = np.random.default_rng((spec.seed, use.device))
        base, begun, slow = (int(own.integers(limit)) for limit in (6, 60, 40))
        # Some put an old version back; some phones' slots have different radios; some have an own agent.
        fall = int(own.integers(spec.days)) if own.random() < 0.02 else spec.days
        slot = use.line % 2 if own.random() < 0.2 and use.slots else 0
        mine = "x" if rng.random() < 0.1 else ""
        for day in np.flatnonzero(active[number, first:]).tolist():
            if rng.random() > 0.3:
                continue
            version = use.hardware * 7 % 50 + base + max(0, day + first + begun - slow) // 60
            version = (version - (day + first >= fall) - (rng.random() < 0.01)) % 100
            odd = int(rng.integers(1, 9)) if rng.random() < 0.01 else 0
            word = f"c{use.hardware:05d}{odd}{slot}"
            agent = f"a{use.hardware:05d}{int(own.integers(3)) if rng.random() < 0.02 else base}{mine}"
            operator = spec.operators[operator_of(spec, use.line)][0]
            told = f"{day_text(spec, day + first)},{version:02d},{word},{agent}"
            out[operator].append(f"{use.imei:014d},{imsi(spec, use.line)},{told}")
    return out


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
        span = f"{day_text(spec, max(0, spec.days - spec.sighted_days))}_{day_text(spec, spec.days - 1)}"
        seen = sightings(world, active, there)
        for turn, kind in enumerate(("sightings", "sightings-late")):
            for operator, parts in seen.items():
                save(
                    "sightings",
                    f"{operator}_{kind}_{span}.csv",
                    "imei,imsi,cell,started_at,ended_at",
                    parts[turn],
                )
        for operator, told in fingerprints(world, active).items():
            header = "imei,imsi,seen_on,software_version,capability,agent"
            save("fingerprints", f"{operator}_fingerprints_{span}.csv", header, told)
    pq.write_table(_truth(world, active), out / "truth.parquet")
    return files


def _save_lists(world: Wanderers, save: Any) -> None:
    head = (
        "TAC|Marketing Name|Internal Model Name|Manufacturer|Bands|Allocation Date|Country Code|Fixed Code|"
        "Manufacturer Code|Radio Interface|Brand Name|Model Name|Operating System|NFC|Bluetooth|WLAN|"
        "Device Type"
    )
    save("tac", "tac.txt", head, [
        f"{t.tac}|{t.name}|{t.name}|{t.maker}|{t.bands}|01-Jan-2020|||||{t.maker}|{t.name}||N|N|N|Smartphone"
        for t in world.tacs
    ])  # fmt: skip
    spec = world.spec
    for line, person in enumerate(world.line_person):
        world.note("subscribers", f"{uid(person)},{imsi(spec, line)}")
    headers = {
        "registrations": "approved_imei,make,model,status,model_number,brand_name,device_type,"
        "radio_interface,device_id",
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
    texts = [day_text(spec, day) for day in range(spec.days)]
    for number, use in enumerate(world.uses):
        operator = spec.operators[operator_of(spec, use.line)][0]
        days = np.flatnonzero(active[number])
        told = f"{use.imei:014d},{imsi(spec, use.line)},22{use.line + 10**9:010d}"
        best = use.rats.split("|")[-1]
        for day, drawn in zip(days.tolist(), rng.random(len(days)).tolist(), strict=True):
            rat = use.rats if drawn < 0.3 else best if drawn < 0.95 else use.rats.split("|", maxsplit=1)[0]
            rows.setdefault((operator, int(texts[day][:6])), []).append(f"{texts[day]},{told},{rat}")
    for (operator, month), found in sorted(rows.items(), key=lambda item: (item[0][1], item[0][0])):
        days_there = sorted(text for text in texts if int(text[:6]) == month)
        found.sort()
        save(
            "observations",
            f"{operator}_{days_there[0]}_{days_there[-1]}.csv",
            "date,imei,imsi,msisdn,rat",
            found,
        )


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
                    "operator": spec.operators[operator_of(spec, use.line)][0], "label": use.label,
                    "story": use.story, "is_genuine_holder": use.holder,
                    "town": f"W{world.home[use.person]:02d}", "person": uid(use.person),
                    "first_seen": begin + timedelta(days=int(days[0])),
                    "last_seen": begin + timedelta(days=int(days[-1])), "active_days": len(days),
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows)
