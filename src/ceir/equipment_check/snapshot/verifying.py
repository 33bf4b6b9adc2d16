"""Verifying a snapshot from end to end, once, when it arrives: that it is what was signed, and that its
numbers lead nowhere outside of it, so that no question can fail later."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import le, lt

from ceir.equipment_check.snapshot.format import (
    COUNT_BITS,
    KIND_ARRAY,
    KIND_BITS,
    KIND_RUNS,
    LISTS,
    OFFSET_SHIFT,
    SLOTS,
    SnapshotRefusedError,
)
from ceir.equipment_check.snapshot.reading import Snapshot
from ceir.equipment_check.status import EquipmentStatus

_CHUNK = 1 << 20
_AT_ONCE, _PAUSE = 5000, 0.002
"""Numbers looked at without a pause, half a millisecond's work: a server answers meanwhile in other threads,
and an interpreter that is not left alone makes them wait."""

_STATUSES = len(EquipmentStatus)


def verify_content(snapshot: Snapshot) -> None:
    """Hold every part of an open snapshot against its fingerprint, and look whether its numbers are sound.

    Looks at what is mapped, not at the file's name, which may mean another file by now.

    Raises:
        SnapshotRefusedError: a part was changed, or is not as parts are.
    """
    for name, part in snapshot.parts.items():
        digest = hashlib.sha256()
        for start in range(0, len(part), _CHUNK):
            if start:
                time.sleep(_PAUSE)
            digest.update(part[start : start + _CHUNK])
        if digest.hexdigest() != snapshot.header.section(name).sha256:
            raise SnapshotRefusedError(f"The part {name!r} is damaged.", "Fetch the snapshot again.")
    parts = snapshot.parts
    for name in LISTS:
        _require(_leads_inside(parts[f"{name}.pages"], len(parts[f"{name}.containers"])), f"{name}.pages")
    numbers = {name: part.cast("Q") for name, part in parts.items() if not name.endswith(".containers")}
    _require(_is_sorted(numbers["versions.key"]), "versions.key")
    _require(_is_sorted(numbers["pairs.imei"]), "pairs.imei")
    starts = numbers["pairs.start"]
    _require(starts[0] == 0 and starts[-1] == len(numbers["pairs.imsi"]), "pairs.start")
    _require(_is_sorted(starts, le), "pairs.start")
    for name in ("ranges.status", "versions.status"):
        _require(max(numbers[name], default=0) < _STATUSES, name)
    for name in ("ranges", "subscribers"):
        _require(_is_disjoint(numbers, name), f"{name}.first")


def _require(sound: bool, name: str) -> None:
    if not sound:
        raise SnapshotRefusedError(
            f"The part {name!r} is signed but cannot be right.", "Tell the register: it wrote a bad snapshot."
        )


def _leads_inside(pages: memoryview, octets: int) -> bool:
    """Whether every container that a page names is of a known kind and lies in the part of the containers."""
    numbers = pages.cast("Q")
    slots = numbers[len(numbers) // (SLOTS + 1) :]
    sizes = {KIND_ARRAY: 2, KIND_RUNS: 4, KIND_BITS: 1}
    kinds, counts = (1 << OFFSET_SHIFT - COUNT_BITS) - 1, (1 << COUNT_BITS) - 1
    for start in range(0, len(slots), _AT_ONCE):
        for slot in slots[start : start + _AT_ONCE].tolist():
            if not slot:
                continue
            size = sizes.get(slot >> COUNT_BITS & kinds)
            if size is None or (slot >> OFFSET_SHIFT) * 2 + (slot & counts) * size > octets:
                return False
        time.sleep(_PAUSE)
    return True


def _is_sorted(numbers: memoryview, follows: Callable[[int, int], bool] = lt) -> bool:
    for start in range(0, len(numbers), _AT_ONCE):
        part: Sequence[int] = numbers[start : start + _AT_ONCE + 1].tolist()
        if not all(map(follows, part, part[1:])):
            return False
        time.sleep(_PAUSE)
    return True


def _is_disjoint(numbers: Mapping[str, memoryview], name: str) -> bool:
    firsts, lasts = numbers[f"{name}.first"].tolist(), numbers[f"{name}.last"].tolist()
    return all(map(le, firsts, lasts)) and all(
        end < begin for (_, end), (begin, _) in pairwise(zip(firsts, lasts, strict=True))
    )
