"""Detailed sightings: phones at home, at work, on trips; the cells, with the flaws of real ones.

Where a phone is depends on the phone and the moment alone, so that two SIMs in it are at one place and two
phones with one IMEI are not.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.devices import written
from ceir.testing.country.draws import Bytes, Flags, Ints, mixed
from ceir.testing.country.fingerprints import FingerprintFiles
from ceir.testing.country.movement import Movement
from ceir.testing.country.observations import active_days, imei_forms
from ceir.testing.country.sightings import HEADER, moment
from ceir.testing.country.spec import Label, Story
from ceir.testing.country.uses import Uses
from ceir.testing.country.world import World

CELL_HEADER = "cell,latitude,longitude,radius_m"

_HOUR = 3_600
_LONGEST_CALL = 300
_SWAP = 180
"""Seconds that changing the SIM takes at least."""
_TURNS_A_DAY = 6
"""Stretches of a day during which one of several users has a shared phone."""
_ROAD_KMH, _AIR_KMH, _CHECK_IN_S = 65, 650, 2 * _HOUR
_LONGEST_DRIVE = 4 * _HOUR

_SEVERAL_SLOTS = (Story.DUAL_SIM, Story.DUAL_SIM_ONE_IMEI, Story.COURIER, Story.TWO_HOMES, Story.FLYER)
_DULL = (Story.ORDINARY, Story.IOT_FLEET, Story.ROAMER_NATIONAL, Story.ROAMER_INTERNATIONAL, Story.UPGRADE)

HOME, WORK, OUT, SECOND_HOME, AWAY = range(5)
"""Kinds of places; each has cells of its own within its town."""


class Atlas:
    """Distances between towns, and where each phone is at each moment."""

    def __init__(self, world: World, movement: Movement) -> None:
        self.world, self.movement = world, movement
        # Positions lie between 10 and 14 degrees north: one factor for the whole country is close enough.
        north = world.towns.latitude.astype(np.float64)
        east = world.towns.longitude.astype(np.float64)
        squared = (north[:, None] - north) ** 2 + (0.978 * (east[:, None] - east)) ** 2
        # Whole kilometres, rounded coarsely, so that the last digit of a square root decides nothing.
        self.km = np.round(np.sqrt(squared) * 111.2e-6, 1).astype(np.int64)
        alone = self.km + np.eye(len(self.km), dtype=np.int64) * 10**6
        self.nearest = alone.argmin(axis=1)
        self._weekday = world.calendar.first.weekday()

    def places(
        self, phone: Ints, home: Ints, story: Ints, day: Ints, second: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Town, kind of place and a number for the very place; town -1 while on the way."""
        draws = self.world.draws
        by_day = phone ^ (day << 44)
        town, kind = home.copy(), np.full(len(home), HOME, dtype=np.int64)
        very = phone.copy()
        weekday = (self._weekday + day) % 7

        hour = second // _HOUR
        busy = (weekday < 5) & draws.chance("works", phone, 0.7) & (hour >= 9) & (hour < 17)
        kind[busy] = WORK
        evening = (
            ~busy & (hour >= 11) & (hour < 22) & draws.chance("goes-out", by_day ^ (hour // 3 << 20), 0.3)
        )
        kind[evening], very[evening] = OUT, (by_day ^ (hour // 3 << 20))[evening]

        self._second_homes(town, kind, story, weekday, second)
        self._trips(by_day, town, kind, very, story, second)
        return town, kind, very

    def _second_homes(self, town: Ints, kind: Ints, story: Ints, weekday: Ints, second: Ints) -> None:
        has = story == Story.TWO_HOMES
        other = self.nearest[town]
        travel = self.km[town, other] * _HOUR // _ROAD_KMH
        going = (weekday == 5) & (second >= 7 * _HOUR)
        back = (weekday == 6) & (second < 16 * _HOUR)
        on_the_way = has & (
            ((weekday == 5) & (second >= 7 * _HOUR) & (second < 7 * _HOUR + travel))
            | ((weekday == 6) & (second >= 16 * _HOUR) & (second < 16 * _HOUR + travel))
        )
        there = has & (going | back) & ~on_the_way
        town[there], kind[there] = other[there], SECOND_HOME
        town[on_the_way] = -1

    def _trips(self, by_day: Ints, town: Ints, kind: Ints, very: Ints, story: Ints, second: Ints) -> None:
        draws = self.world.draws
        share = np.select(
            [story == Story.COURIER, story == Story.FLYER], [600, 150], self.movement.trips * 1000
        )
        wanted = draws.below("trip", by_day, 1000) < share
        wanted &= (town >= 0) & (kind != SECOND_HOME) & (story != Story.TWO_HOMES)
        start = np.maximum(town, 0)
        goal = draws.below("trip-to", by_day, len(self.km))
        goal = np.where(goal == start, self.nearest[start], goal)
        goal = np.where(story == Story.COURIER, self.nearest[start], goal)
        km = self.km[start, goal]
        flies = (story == Story.FLYER) & (km > 100)
        travel = np.where(flies, _CHECK_IN_S + km * _HOUR // _AIR_KMH, km * _HOUR // _ROAD_KMH)
        wanted &= travel <= _LONGEST_DRIVE
        leaves = 6 * _HOUR + draws.below("trip-leaves", by_day, 2 * _HOUR)
        returns = 17 * _HOUR + draws.below("trip-returns", by_day, 2 * _HOUR)
        there = wanted & (second >= leaves + travel) & (second < returns)
        way = wanted & ~there & (second >= leaves) & (second < returns + travel)
        town[there], kind[there], very[there] = goal[there], AWAY, by_day[there]
        town[way] = -1


class MovementFiles:
    """Sightings of the last weeks, an operator two files (the second came late), and fingerprints."""

    def __init__(self, world: World, folder: Path, movement: Movement) -> None:
        self.world, self.movement = world, movement
        self.rows = 0
        self.paths: list[tuple[str, Path]] = []
        self.atlas = Atlas(world, movement)
        self._first = max(0, world.calendar.days - movement.days)
        self._stack = ExitStack()
        self._files: list[tuple[BinaryIO, BinaryIO]] = []
        dates = world.calendar.name(self._first, world.calendar.days)
        for operator in world.spec.operators:
            opened = []
            for kind in ("sightings", "sightings-late"):
                path = folder / f"{operator.id}_{kind}_{dates}.csv"
                file = self._stack.enter_context(path.open("wb"))
                file.write(HEADER)
                opened.append(file)
                self.paths.append((operator.id, path))
            self._files.append((opened[0], opened[1]))
        self.fingerprints = self._stack.enter_context(FingerprintFiles(world, folder, movement, self._first))

    def __enter__(self) -> "MovementFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, uses: Uses) -> None:
        """Appends what networks saw of the uses that matter, and of a few others."""
        spared = self.world.draws.chance("sighted", uses.device, self.movement.ordinary)
        dull = (uses.label == Label.GENUINE) & np.isin(uses.story, _DULL) & ~uses.showcase
        uses = uses.where((uses.stop > self._first) & (~dull | spared))
        if not len(uses):
            return
        self.fingerprints.write(uses)
        use, day, second, end = self._moments(uses)
        phone = phones(uses)
        town, kind, very = self.atlas.places(phone[use], uses.town[use], uses.story[use], day, second)
        seen = town >= 0
        self._write(uses, *(column[seen] for column in (use, day, second, end, town, kind, very)))

    def _moments(self, uses: Uses) -> tuple[Ints, Ints, Ints, Ints]:
        """(use, day, first second, last second) of each event."""
        draws, turns = self.world.draws, self.movement.events_a_day
        active = active_days(uses.identity, uses, self._first, self.world.calendar.days)
        day, use = np.nonzero(active)
        day, use = np.repeat(day + self._first, turns), np.repeat(use, turns)
        turn = np.tile(np.arange(turns), len(day) // turns)
        event = uses.identity[use].astype(np.int64) ^ (day << 20) ^ (turn << 40)
        stretch = 86_400 // turns
        second = turn * stretch + draws.below("moment", event, stretch - _LONGEST_CALL)
        end = second + 1 + draws.below("lasts", event, _LONGEST_CALL - 1)
        kept = draws.chance("quiet", event, 0.75) & ((second > 6 * _HOUR) | draws.chance("night", event, 0.3))
        kept &= self._has_phone(uses, use, day, second, end)
        return use[kept], day[kept], second[kept], end[kept]

    def _has_phone(self, uses: Uses, use: Ints, day: Ints, second: Ints, end: Ints) -> Flags:
        """Phones with one slot hold one SIM at a time: each stretch of the day is one user's."""
        turn = second // (86_400 // _TURNS_A_DAY)
        stretch = mixed(uses.device[use].astype(np.uint64)) ^ mixed(
            (day * _TURNS_A_DAY + turn).astype(np.uint64)
        )
        lot = mixed(stretch ^ uses.identity[use])
        order = np.lexsort((lot, stretch))
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = stretch[order][1:] != stretch[order][:-1]
        winner = use[order][new][np.cumsum(new) - 1]
        has = np.zeros(len(use), dtype=np.bool_)
        has[order] = use[order] == winner
        free = np.isin(uses.story[use], _SEVERAL_SLOTS)
        changing = (second % (86_400 // _TURNS_A_DAY) < _SWAP) | (end // (86_400 // _TURNS_A_DAY) != turn)
        allowed: Flags = free | (has & ~changing)
        return allowed

    def _write(
        self, uses: Uses, use: Ints, day: Ints, second: Ints, end: Ints, town: Ints, kind: Ints, very: Ints
    ) -> None:
        draws, towns, operators = self.world.draws, self.world.towns, self.world.spec.operators
        event = uses.identity[use].astype(np.int64) ^ (day << 20) ^ (second << 34)
        spot = (very ^ (kind << 56) ^ (uses.operator[use] << 60)).astype(np.int64)
        cell = draws.below("spot-cell", spot, towns.cells(town))
        other = draws.chance("neighbour-cell", event, 0.1)
        cell = np.where(other, (cell + 1) % towns.cells(town), cell)
        stray = draws.chance("stray", event, self.movement.stray)
        town = np.where(stray, draws.below("stray-town", event, len(towns.names)), town)
        cell = np.where(stray, draws.below("stray-cell", event, towns.cells(town)), cell)
        skew = (
            draws.below("clock", np.arange(len(operators)), 2 * self.movement.skew_s + 1)
            - self.movement.skew_s
        )
        late = draws.chance("late", event, self.movement.late)
        begun, ended = (self._moment(day, at, skew[uses.operator[use]]) for at in (second, end))
        dash = text.constant(len(use), "-")
        plmn = text.table([operator.plmn for operator in operators])[uses.operator[use]]
        block = text.rows(
            [
                written(uses.imei, imei_forms(self.world.draws, uses))[use],
                text.digits(uses.imsi, 15)[use],
                np.concatenate([plmn, dash, text.digits(town, 4), dash, text.digits(cell, 6)], axis=1),
                begun,
                ended,
            ]
        )
        for place, files in enumerate(self._files):
            mine = uses.operator[use] == place
            for file, part in zip(files, (~late, late), strict=True):
                file.write(text.packed(block[mine & part]))
        self.rows += len(block)

    def _moment(self, day: Ints, second: Ints, skew: Ints) -> Bytes:
        whole = np.clip(
            day * 86_400 + second + skew, self._first * 86_400, self.world.calendar.days * 86_400 - 1
        )
        return moment(text.days(self.world.calendar.first, whole // 86_400), whole % 86_400)


def phones(uses: Uses) -> Ints:
    """A number for each physical phone in one person's hands: it moves to another home when it is sold."""
    sold = (uses.story == Story.RESALE) | (uses.label == Label.STOLEN)
    word = mixed(uses.device.astype(np.uint64)) ^ np.where(sold, uses.person, 0).astype(np.uint64)
    return (mixed(word) >> np.uint64(24)).astype(np.int64)


def placed_cells(world: World, movement: Movement) -> Iterator[str]:
    """The CSV lines of the list of cells; some of them have another town's position."""
    yield CELL_HEADER
    towns, draws = world.towns, world.draws
    spread = 45_000
    for place, operator in enumerate(world.spec.operators):
        for town in range(len(towns.names)):
            at = np.arange(int(towns.cells(np.asarray([town]))[0]))
            key = (place * len(towns.names) + town) * 1_000_000 + at
            wrong = draws.chance("misplaced", key, movement.misplaced)
            stated = np.where(wrong, draws.below("misplaced-to", key, len(towns.names)), town)
            north = towns.latitude[stated] - spread + draws.below("cell-north", key, 2 * spread)
            east = towns.longitude[stated] - spread + draws.below("cell-east", key, 2 * spread)
            for cell, latitude, longitude in zip(at.tolist(), north.tolist(), east.tolist(), strict=True):
                yield (
                    f"{operator.plmn}-{town:04d}-{cell:06d},{latitude // 10**6}.{latitude % 10**6:06d},"
                    f"{longitude // 10**6}.{longitude % 10**6:06d},{movement.radius_m}"
                )
