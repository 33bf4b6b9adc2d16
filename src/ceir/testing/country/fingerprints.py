"""What devices tell of themselves: software version, capabilities, user agent; few networks keep it."""

from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.devices import written
from ceir.testing.country.draws import Bytes, Ints, mixed
from ceir.testing.country.movement import Movement
from ceir.testing.country.observations import active_days, imei_forms
from ceir.testing.country.spec import Label, Story
from ceir.testing.country.uses import Uses
from ceir.testing.country.world import World

HEADER = b"imei,imsi,seen_on,software_version,capability,agent\n"

_PLATFORMS = 40
"""Kinds of hardware that clones are built on."""
_RELEASE_DAYS = 75
"""Days between two software releases of a model."""
_LONGEST_LAG = 45
_ONE_IMEI = (Story.DUAL_SIM_ONE_IMEI, Story.COURIER, Story.TWO_HOMES, Story.FLYER)


class FingerprintFiles:
    """One open file an operator."""

    def __init__(self, world: World, folder: Path, movement: Movement, first: int) -> None:
        self.world, self.movement, self._first = world, movement, first
        self.rows = 0
        self.paths: list[tuple[str, Path]] = []
        self._stack = ExitStack()
        self._files: list[BinaryIO] = []
        for operator in world.spec.operators:
            path = (
                folder / f"{operator.id}_fingerprints_{world.calendar.name(first, world.calendar.days)}.csv"
            )
            file = self._stack.enter_context(path.open("wb"))
            file.write(HEADER)
            self._files.append(file)
            self.paths.append((operator.id, path))

    def __enter__(self) -> "FingerprintFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, uses: Uses) -> None:
        """Appends a row for some of the days on which each use is active."""
        draws, noise = self.world.draws, self.movement.fingerprint_noise
        day, use = np.nonzero(active_days(uses.identity, uses, self._first, self.world.calendar.days))
        day = day + self._first
        event = uses.identity[use].astype(np.int64) ^ (day << 20)
        kept = draws.chance("fingerprint", event, self.movement.fingerprint_days)
        day, use, event = day[kept], use[kept], event[kept]
        hardware, device = self._hardware(uses)[use], uses.device[use]
        release = self._release(hardware, device, day) - draws.chance("old-version", event, noise)
        setting = draws.below("setting", device, 100) // 97
        # The second slot of some phones has a radio of its own, and some people a browser of theirs.
        unlike = draws.chance("unlike-slots", device, self.movement.unlike_slots)
        slot = (unlike & np.isin(uses.story, _ONE_IMEI)[use]) * (uses.imsi[use] % 2)
        odd = draws.chance("odd-capability", event, noise) * (1 + draws.below("odd", event, 5))
        person = device ^ (uses.imsi[use] << 20)
        browser = draws.below("browser", device, 4)
        browser += 4 * draws.chance("other-browser", person, self.movement.other_browser)
        strange = draws.chance("odd-agent", event, 4 * noise) * (1 + draws.below("strange", event, 9))
        block = text.rows(
            [
                written(uses.imei, imei_forms(draws, uses))[use],
                text.digits(uses.imsi, 15)[use],
                text.days(self.world.calendar.first, day),
                text.digits((draws.below("base-version", hardware, 40) + release) % 100, 2),
                _word(hardware, release // 3, setting + 2 * slot, odd),
                _word(hardware, release, browser, 100 + strange),
            ]
        )
        for place, file in enumerate(self._files):
            mine = block[uses.operator[use] == place]
            file.write(text.packed(mine))
            self.rows += len(mine)

    def _hardware(self, uses: Uses) -> Ints:
        """What each use's device really is: its TAC, or one of the kinds that clones are built on."""
        copy = ~uses.holder & (uses.label != Label.CLONE_REPLICA)
        like = self.world.draws.chance("like-hardware", uses.device, self.movement.like_hardware)
        platform = 10**9 + self.world.draws.below("platform", uses.device, _PLATFORMS)
        hardware: Ints = np.where(copy & ~like, platform, np.maximum(uses.imei, 0) // 10**6)
        return hardware

    def _release(self, hardware: Ints, device: Ints, day: Ints) -> Ints:
        """Software releases that the device has taken: seldom fewer on a later day."""
        draws = self.world.draws
        begun = draws.below("release-phase", hardware, _RELEASE_DAYS)
        lag = draws.below("update-lag", device, _LONGEST_LAG)
        behind = draws.below("never-updates", device, 10) < 3
        release = np.where(behind, 0, np.maximum(0, (day + begun - lag) // _RELEASE_DAYS))
        gone = draws.chance("puts-back", device, self.movement.put_back)
        since = self._first + draws.below("put-back-on", device, self.world.calendar.days - self._first)
        back: Ints = release - (gone & (day >= since))
        return back


def _word(*parts: Ints) -> Bytes:
    """Twelve hexadecimal digits that stand for the parts."""
    word = np.zeros(len(parts[0]), dtype=np.uint64)
    for part in parts:
        word = mixed(word ^ part.astype(np.uint64))
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    nibbles = (word[:, None] >> (np.arange(12, dtype=np.uint64) * np.uint64(4))) & np.uint64(15)
    out: Bytes = digits[nibbles.astype(np.int64)]
    return out
