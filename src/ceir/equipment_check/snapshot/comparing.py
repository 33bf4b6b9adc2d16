"""What changed between two snapshots: the delta that brings checkers from one to the other."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ceir.equipment_check.snapshot.delta import Delta, Pair
from ceir.equipment_check.snapshot.format import LISTS, SERIALS, Header
from ceir.equipment_check.snapshot.reading import ImeiSet, Snapshot

Numbers = npt.NDArray[np.int64]

MOST_CHANGES = 1_000_000
"""A longer delta would be slower to apply than a whole snapshot is to map."""

_WHOLE_PARTS = (
    "ranges.first",
    "ranges.last",
    "ranges.status",
    "versions.key",
    "versions.status",
    "subscribers.first",
    "subscribers.last",
)
"""Parts that a delta does not carry."""


def delta_between(before: Snapshot, now: Snapshot, most: int = MOST_CHANGES) -> Delta | None:
    """The delta from one snapshot to a later one of the same receiver.

    Args:
        most: changes, all lists together; with more there is no delta.

    Returns: None where only the whole snapshot will do: other answers, ranges or software versions, another
    override, or too many changes.
    """
    if not _same_frame(before.header, now.header):
        return None
    added: dict[str, tuple[int, ...]] = {}
    removed: dict[str, tuple[int, ...]] = {}
    left = most
    for name in LISTS:
        came, went = [], []
        for more, fewer in _changed(before.listed(name), now.listed(name)):
            came.append(more)
            went.append(fewer)
            left -= more.size + fewer.size
            if left < 0:
                return None
        if came:
            added[name] = tuple(np.concatenate(came).tolist())
            removed[name] = tuple(np.concatenate(went).tolist())
    old, new = _pairs(before), _pairs(now)
    paired, unpaired = tuple(sorted(new - old)), tuple(sorted(old - new))
    if len(paired) + len(unpaired) > left:
        return None
    return Delta(
        base=before.header.sequence,
        sequence=now.header.sequence,
        as_of=now.header.as_of,
        expires_at=now.header.expires_at,
        key_id=now.header.key_id,
        added={name: imeis for name, imeis in added.items() if imeis},
        removed={name: imeis for name, imeis in removed.items() if imeis},
        paired=paired,
        unpaired=unpaired,
    )


def _same_frame(before: Header, now: Header) -> bool:
    fields = ("country", "operator", "otherwise", "malformed", "override", "key_id")
    return all(getattr(before, f) == getattr(now, f) for f in fields) and all(
        before.section(part).sha256 == now.section(part).sha256 for part in _WHOLE_PARTS
    )


def _changed(before: ImeiSet, now: ImeiSet) -> Iterator[tuple[Numbers, Numbers]]:
    """For each TAC that differs: IMEIs that came, IMEIs that left; in order."""
    for tac in sorted(before.tacs() | now.tacs()):
        if before.page(tac) == now.page(tac):
            continue
        old, new = _members(before, tac), _members(now, tac)
        yield np.setdiff1d(new, old), np.setdiff1d(old, new)


def _members(found: ImeiSet, tac: int) -> Numbers:
    return np.fromiter(found.members(tac), dtype=np.int64) + tac * SERIALS


def _pairs(snapshot: Snapshot) -> set[Pair]:
    return set(snapshot.pairs())
