"""A spool at work, without a server: what its tests share."""

import time
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.equipment_check.sightings import (
    Keeping,
    Sighting,
    Spool,
    SpoolLimits,
    closed_segments,
    read_sightings,
)

BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
TRACKED = Answer(EquipmentStatus.TRACKED, Reason.RANGE)
PAIRED = Answer(EquipmentStatus.PERMITTED, Reason.PAIRED)
PERMITTED = Answer(EquipmentStatus.PERMITTED, Reason.IDENTITY)
UNKNOWN = Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT)
MOMENT = 1_795_000_000.25


class Clock:
    """Stands still until told otherwise."""

    def __init__(self, at: float = MOMENT) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


def spool(
    folder: Path, limits: SpoolLimits | None = None, keeping: Keeping | None = None, **more: object
) -> Spool:
    words = {"worker": 0, "clock": time.time, "monotonic": time.monotonic} | more
    return Spool(folder, limits=limits or SpoolLimits(), keeping=keeping or Keeping(), **words)  # type: ignore[arg-type]


def kept(folder: Path) -> list[Sighting]:
    return [one for file in closed_segments(folder) for one in read_sightings(file)]


def until(condition: object, seconds: float = 20) -> None:
    """Waits, no longer than told, until something is so."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.01)


def ask(observe: object, answer: Answer, *imeis: int, imsi: int | None = None) -> None:
    assert callable(observe)
    for imei in imeis:
        observe(answer, 0.00001, Question(imei, None, imsi))
