"""Which devices appeals restored, for whoever publishes lists.

A restored device is an exception for the lines of who appealed, which the `pairings` list carries. Only where
the condition was found wrong about the identity, or no exception can name who appealed, it has no consequence
for the identity any more, which the `appeals` list says: else a clone would work with everybody because one
appealed. Why not `golden`: it would take a clone of the device, and the device once it is stolen, off every
list for everybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from ceir.identifiers import EquipmentIdentity
from ceir.registry.appeals.models import UNDECIDED, Appeal, State
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.runs.models import Decision, Outcome

_AT_A_TIME = 1000


@dataclass(frozen=True)
class Restored:
    """A condition that does not count against equipment.

    Args:
        identity: 14 digits, or the text of a malformed identity.
        ground: the appeal, as the record names it.
        because: `undecided` or `upheld`.
    """

    identity: str
    condition: str
    since: datetime
    ground: str
    because: str


def restored(at: datetime) -> Iterator[Restored]:
    """Identities that are restored for everybody who uses them, sorted by identity and condition."""
    rows = _in_force(at).order_by("imei", "malformed", "condition", "pk")
    for appeal in rows.iterator(chunk_size=2000):
        assert appeal.restored_at is not None
        yield Restored(
            StoredIdentity(appeal.imei, appeal.malformed).text,
            appeal.condition,
            appeal.restored_at,
            str(appeal),
            appeal.restored_because,
        )


def is_restored(identity: EquipmentIdentity, condition: str, *, at: datetime) -> bool:
    """Whether a condition does not count against equipment at a moment, whoever uses it."""
    stored = StoredIdentity.of(identity)
    found = _in_force(at).filter(imei=stored.key, malformed=stored.malformed, condition=condition)
    return found.exists()


def taken_back(at: datetime, key: int | None = None) -> frozenset[int]:
    """Keys of blocked equipment that nothing speaks against but what appeals restored it from.

    Networks are told of it at once; what the pipeline decides anew may come a night later.

    Args:
        key: only this one; None: all.
    """
    by_key: dict[int, set[str]] = {}
    rows = _in_force(at) if key is None else _in_force(at).filter(imei=key)
    for restored_key, condition in rows.values_list("imei", "condition").iterator(chunk_size=2000):
        by_key.setdefault(restored_key, set()).add(condition)
    found: set[int] = set()
    keys = sorted(by_key)
    for start in range(0, len(keys), _AT_A_TIME):
        some = keys[start : start + _AT_A_TIME]
        decided = Decision.objects.filter(imei__in=some, outcome=Outcome.BLOCKED.value)
        for blocked_key, conditions in decided.values_list("imei", "grounds__conditions"):
            if set(conditions.split("|")) <= by_key[blocked_key]:
                found.add(blocked_key)
    return frozenset(found)


def _in_force(at: datetime) -> QuerySet[Appeal]:
    standing = Q(state__in=UNDECIDED) | Q(state=State.UPHELD.value)
    return Appeal.objects.filter(standing, restored_at__lte=at, whole_identity=True)
