"""The conditions that appeals restored equipment from, for the pipeline."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from ceir.registry.appeals.restoring import restored
from ceir.registry.exports import Export


def appeals(at: datetime) -> Iterator[tuple[str, ...]]:
    """What is restored, each identity and condition once, however many appealed.

    Why not pairings alone: an exception names a subscription, which nobody may have told the register of;
    malformed identities have none, and barred ones no list of exceptions carries.
    """
    entries = ((one.identity, one.condition) for one in restored(at))
    yield from (entry for entry, _ in groupby(entries))


EXPORTS = (
    Export(
        source="appeals",
        doc="Conditions that do not count against equipment: an appeal was upheld, or not decided in time.",
        header=("imei", "condition"),
        rows=appeals,
    ),
)
