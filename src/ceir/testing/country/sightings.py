"""A sample of radio location events for rules on impossible journeys, and the cells."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.devices import written
from ceir.testing.country.draws import Bytes, Flags, Ints
from ceir.testing.country.observations import imei_forms
from ceir.testing.country.uses import Uses
from ceir.testing.country.world import World

HEADER = b"imei,imsi,cell,started_at,ended_at\n"
CELL_HEADER = "cell,operator,town,latitude,longitude"

_DAYS = 7
_A_DAY = 3
_JOURNEY = 0.05
"""Days with an hour in another town about noon."""
_LONGEST = 3_600
_BREAK = 4 * 3_600
"""Seconds at least between two events of a phone: enough to cross the country."""
_CELL_RANGE = 45_000
"""Millionths of a degree between a town's middle and its outermost cell, about 5 km."""


def cell_rows(world: World) -> Iterator[str]:
    """The CSV lines of all cells, the header first."""
    yield CELL_HEADER
    towns = world.towns
    for place, operator in enumerate(world.spec.operators):
        for town, name in enumerate(towns.names):
            at = np.arange(int(towns.cells(np.asarray([town]))[0]))
            key = (place * len(towns.names) + town) * 1_000_000 + at
            north = towns.latitude[town] - _CELL_RANGE + world.draws.below("cell-north", key, 2 * _CELL_RANGE)
            east = towns.longitude[town] - _CELL_RANGE + world.draws.below("cell-east", key, 2 * _CELL_RANGE)
            for cell, latitude, longitude in zip(at.tolist(), north.tolist(), east.tolist(), strict=True):
                yield (
                    f"{operator.plmn}-{town:04d}-{cell:06d},{operator.id},{name},"
                    f"{latitude // 10**6}.{latitude % 10**6:06d},{longitude // 10**6}.{longitude % 10**6:06d}"
                )


class SightingFiles:
    """One open file an operator with events of the last days of the period."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.rows = 0
        self.paths: list[tuple[str, Path]] = []
        self._stack = ExitStack()
        self._files: list[BinaryIO] = []
        end = world.calendar.days
        self._first = max(0, end - _DAYS)
        for operator in world.spec.operators:
            path = folder / f"{operator.id}_sightings_{world.calendar.name(self._first, end)}.csv"
            file = self._stack.enter_context(path.open("wb"))
            file.write(HEADER)
            self._files.append(file)
            self.paths.append((operator.id, path))

    def __enter__(self) -> "SightingFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, uses: Uses) -> None:
        """Appends the events of the chosen uses: the showcase ones and a random few."""
        current = uses.where(self._chosen(uses))
        use, day, turn = (
            index.ravel()
            for index in np.indices((len(current), self.world.calendar.days - self._first, _A_DAY))
        )
        day = day + self._first
        there = (day >= current.start[use]) & (day < current.stop[use])
        use, day, turn = use[there], day[there], turn[there]
        if not use.size:
            return
        block = self._events(current, use, day, turn)
        for place, file in enumerate(self._files):
            mine = block[current.operator[use] == place]
            file.write(text.packed(mine))
            self.rows += len(mine)

    def _chosen(self, uses: Uses) -> Flags:
        spec = self.world.spec
        wanted = spec.sightings_per_operator * len(spec.operators)
        share = min(1.0, wanted / (spec.subscribers * (self.world.calendar.days - self._first) * _A_DAY))
        lasting = uses.stop > self._first
        return lasting & (
            uses.showcase | self.world.draws.chance("sighted", uses.identity.astype(np.int64), share)
        )

    def _events(self, uses: Uses, use: Ints, day: Ints, turn: Ints) -> Bytes:
        draws, towns, calendar = self.world.draws, self.world.towns, self.world.calendar
        by_day = uses.identity[use].astype(np.int64) ^ (day << 20)
        event = by_day ^ (turn << 40)
        away = (turn == 1) & draws.chance("journey", by_day, _JOURNEY)
        town = np.where(away, draws.below("destination", by_day, len(towns.names)), uses.town[use])
        cell = draws.below("cell", event, towns.cells(town))
        plmns = text.table([operator.plmn for operator in self.world.spec.operators])
        dash = text.constant(len(use), "-")
        name = np.concatenate(
            [plmns[uses.operator[use]], dash, text.digits(town, 4), dash, text.digits(cell, 6)], axis=1
        )
        third = 86_400 // _A_DAY
        begin = turn * third + _BREAK // 2 + draws.below("begin", event, third - _LONGEST - _BREAK)
        end = begin + 1 + draws.below("duration", event, _LONGEST - 1)
        date = text.days(calendar.first, day)
        form = imei_forms(self.world.draws, uses)
        return text.rows(
            [
                written(uses.imei, form)[use],
                text.digits(uses.imsi, 15)[use],
                name,
                moment(date, begin),
                moment(date, end),
            ]
        )


def moment(date: Bytes, second: Ints) -> Bytes:
    """A moment as text: YYYY-MM-DDTHH:MM:SSZ."""
    clock = text.digits(second // 3600 * 10_000 + second // 60 % 60 * 100 + second % 60, 6)
    size = len(date)
    dash, colon = text.constant(size, "-"), text.constant(size, ":")
    return np.concatenate(
        [
            date[:, :4], dash, date[:, 4:6], dash, date[:, 6:], text.constant(size, "T"),
            clock[:, :2], colon, clock[:, 2:4], colon, clock[:, 4:], text.constant(size, "Z"),
        ],
        axis=1,
    )  # fmt: skip
