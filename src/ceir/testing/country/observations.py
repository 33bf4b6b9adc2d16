"""The operators' observation files: who was active with what on each day, with the flaws of real files."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.devices import written
from ceir.testing.country.draws import Bytes, Draws, Flags, Ints, Words, mixed
from ceir.testing.country.models import Radio
from ceir.testing.country.spec import Noise
from ceir.testing.country.uses import Uses
from ceir.testing.country.world import World

HEADER = b"date,imei,imsi,msisdn,rat\n"

# RAT texts and how many of 64 rows have each; pairs stand in ascending order.
_RATS: dict[Radio, tuple[tuple[str, int], ...]] = {
    Radio.G2: (("002", 64),),
    Radio.G3: (("001", 38), ("005", 10), ("002", 10), ("001|002", 6)),
    Radio.G4: (
        ("006", 44),
        ("001|006", 7),
        ("002|006", 3),
        ("001", 4),
        ("005|006", 2),
        ("002", 2),
        ("003|006", 2),
    ),
    Radio.G5: (("010", 18), ("006|010", 16), ("006", 22), ("001|006", 4), ("003|010", 2), ("002", 2)),
    Radio.IOT_WIDE: (("008", 40), ("009", 16), ("002|008", 4), ("002", 4)),
    Radio.IOT_2G: (("002", 64),),
}
_OLDER_NAMES = {"010": "006", "008": "006", "009": "006"}
"""For readers that know only the codes up to 105."""

# Uses in a hundred with each form of the IMEI at the first operator; each next one starts a place on.
_FORMS = (55, 25, 10, 10)

# Where the columns of a row begin and end; each text is padded to the longest.
_DATE, _IMEI, _IMSI, _MSISDN, _RAT = (slice(0, 8), slice(9, 25), slice(26, 41), slice(42, 57), slice(58, 66))
_CUT_IMSI = slice(36, 41)


@dataclass(frozen=True)
class Activity:
    """What became of each use: rows written, and the first and last day (-1 without rows)."""

    rows: Ints
    first: Ints
    last: Ints


def rat_texts(*, modern: bool) -> Bytes:
    """RAT field and line feed of each of the 64 draws of each radio."""
    texts = []
    for radio in Radio:
        for names, count in _RATS[radio]:
            codes = {name if modern else _OLDER_NAMES.get(name, name) for name in names.split("|")}
            texts += ["|".join(sorted(codes)) + "\n"] * count
    return text.table(texts)


def imei_forms(draws: Draws, uses: Uses) -> Ints:
    """The form in which each use's IMEI is written."""
    form = draws.pick("form", uses.identity.astype(np.int64), _FORMS)
    return (form + uses.operator) % len(_FORMS)


class ObservationFiles:
    """One open file an operator and month, to which chunk after chunk of uses is appended."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.rows = 0
        self.paths: list[tuple[str, Path]] = []
        self._stack = ExitStack()
        self._files: dict[tuple[int, int], BinaryIO] = {}
        self._rats = rat_texts(modern=world.spec.modern_rats)
        self._thresholds = _thresholds(world.spec.noise)
        days = np.arange(world.calendar.days)
        self._dates = text.days(world.calendar.first, days)
        for month, (start, stop) in enumerate(world.calendar.months):
            for place, operator in enumerate(world.spec.operators):
                path = folder / f"{operator.id}_{world.calendar.name(start, stop)}.csv"
                file = self._stack.enter_context(path.open("wb"))
                file.write(HEADER)
                self._files[month, place] = file
                self.paths.append((operator.id, path))

    def __enter__(self) -> "ObservationFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, uses: Uses) -> Activity:
        """Appends the rows of the uses to the files of their operators and months."""
        rows, first, last = (np.full(len(uses), initial) for initial in (0, -1, -1))
        key = uses.identity
        template = _template(uses, imei_forms(self.world.draws, uses))
        for month, (start, stop) in enumerate(self.world.calendar.months):
            current = (uses.start < stop) & (uses.stop > start)
            for place in range(len(self.world.spec.operators)):
                chosen = np.flatnonzero(current & (uses.operator == place))
                if not chosen.size:
                    continue
                active = active_days(key[chosen], uses.where(chosen), start, stop)
                seen = active.any(axis=0)
                at = chosen[seen]
                rows[at] += active.sum(axis=0)[seen]
                last[at] = stop - 1 - active[::-1].argmax(axis=0)[seen]
                earliest = start + active.argmax(axis=0)[seen]
                first[at] = np.where(first[at] < 0, earliest, first[at])
                day, use = np.nonzero(active)
                block = self._rows(template, key, uses.radio, start + day, chosen[use])
                self._files[month, place].write(text.packed(block))
                self.rows += len(block)
        return Activity(rows, first, last)

    def _rows(self, template: Bytes, key: Words, radio: Ints, day: Ints, use: Ints) -> Bytes:
        word = mixed(key[use] ^ (day.astype(np.uint64) << np.uint64(20)))
        out = np.empty((len(use), _RAT.stop), dtype=np.uint8)
        out[:, _DATE] = self._dates[day]
        out[:, _DATE.stop : _RAT.start] = template[use]
        draw = (word & np.uint64(63)).astype(np.int64)
        out[:, _RAT] = self._rats[radio[use] * 64 + draw]
        flaw = np.searchsorted(self._thresholds, (word >> np.uint64(8)) & np.uint64(0xFFFFF), side="right")
        for which, columns in enumerate((_IMEI, _IMSI, _MSISDN, slice(_RAT.start, _RAT.stop), _CUT_IMSI)):
            out[flaw == which, columns] = 0
        out[flaw == _NO_RAT, _RAT.start] = ord("\n")
        repeated = (word >> np.uint64(40)) < np.uint64(int(self.world.spec.noise.repeated * (1 << 24)))
        if not repeated.any():
            return out
        return np.concatenate([out, out[repeated]])


_NO_RAT = 3


def _thresholds(noise: Noise) -> Words:
    """Ends of the ranges of a 20-bit draw that mean each flaw."""
    shares = (noise.no_imei, noise.no_imsi, noise.no_msisdn, noise.no_rat, noise.cut_imsi)
    return np.cumsum([int(share * (1 << 20)) for share in shares]).astype(np.uint64)


def _template(uses: Uses, form: Ints) -> Bytes:
    """The part of a row between date and RAT, commas included."""
    comma = text.constant(len(uses), ",")
    return np.concatenate(
        [
            comma,
            written(uses.imei, form),
            comma,
            text.digits(uses.imsi, 15),
            comma,
            text.number(uses.msisdn, 15),
            comma,
        ],
        axis=1,
    )


def active_days(key: Words, uses: Uses, start: int, stop: int) -> Flags:
    """Which of the days `start` .. `stop`-1 (rows) each use (columns) is active on."""
    # Four days share a word; words count from day 0 so that months do not matter.
    first = start // 4
    words = np.stack([mixed(key + np.uint64(word + 1)) for word in range(first, -(-stop // 4))])
    draws = words.astype("<u8", copy=False).view("<u2").reshape(len(words), len(key), 4)
    by_day = draws.transpose(0, 2, 1).reshape(-1, len(key))[start - 4 * first : stop - 4 * first]
    day = np.arange(start, stop)[:, None]
    active: Flags = (by_day <= uses.pace) & (day >= uses.start) & (day < uses.stop)
    return active
