"""Processes that keep sightings, to be killed or starved of disk; numbers as IMEIs tell what was kept."""

import json
import os
import resource
import sys
import time
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.equipment_check.sightings import Keeping, Spool, SpoolLimits, closed_segments, read_sightings

BLOCKED = Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)
SMALL = SpoolLimits(segment_bytes=4096, total_bytes=1 << 30, write_seconds=0.01, retry_seconds=0.05)


def a_spool(root: Path, limits: SpoolLimits = SMALL) -> Spool:
    return Spool(root, 0, limits, Keeping(), clock=time.time, monotonic=time.monotonic)


def kept(root: Path) -> list[int | None]:
    return [one.imei for file in closed_segments(root) for one in read_sightings(file)]


def keep_two_hundred(root: Path) -> None:
    """Keep sightings 0 to 199, in several segments."""
    spool = a_spool(root)
    observe = spool.observer("s13")
    for number in range(200):
        observe(BLOCKED, 0.1, Question(number))
    spool.start()
    assert spool.close(60)


def keep_until_killed(root: Path) -> None:
    """Keep sightings 0, 1, 2, ... without end, as fast as they are written."""
    spool = a_spool(root)
    observe = spool.observer("s13")
    spool.start()
    for number in range(10**14):
        observe(BLOCKED, 0.1, Question(number))
        if number % 100 == 0:
            while number - spool.written > 1000:
                time.sleep(0.001)


def keep_with_little_disk(root: Path) -> None:
    """Keep 3,000 sightings where the disk ends; then make room and keep 10 more. Tells what was counted."""
    root = root / "spool"
    limits = SpoolLimits(waiting=500, write_seconds=0.01, retry_seconds=0.05)
    spool = a_spool(root, limits)
    observe = spool.observer("s13")
    spool.start()
    for number in range(3000):
        observe(BLOCKED, 0.1, Question(number))
        if number % 10 == 0:
            time.sleep(0.001)
    time.sleep(0.3)
    before = kept(root)
    counted = (spool.written, spool.dropped)
    for file in closed_segments(root):
        file.unlink()
    if filler := next(root.parent.glob("filler"), None):
        filler.unlink()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    end = time.monotonic() + 20
    while spool.written + spool.dropped < 3000 and time.monotonic() < end:
        time.sleep(0.01)
    for number in range(9990, 10_000):
        observe(BLOCKED, 0.1, Question(number))
    assert spool.close(20)
    print(json.dumps([before, counted, kept(root), [spool.written, spool.dropped]]))


if __name__ == "__main__":
    if sys.argv[1] == "keep_with_little_disk" and len(sys.argv) > 3:
        most = int(sys.argv[3])
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
    globals()[sys.argv[1]](Path(sys.argv[2]))
    os._exit(0)
