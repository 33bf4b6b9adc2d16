"""The list of subscribers for the pipeline."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from django.db import models
from django.db.models.functions import Coalesce

from ceir.registry.exports import Export
from ceir.registry.personal.whole_lists import begin_list, opened
from ceir.registry.subscribers.finding import uid_of
from ceir.registry.subscribers.models import Sim


def subscribers(at: datetime) -> Iterator[tuple[str, ...]]:
    """Which IMSI belongs to which person."""
    begin_list("subscribers", at=at)
    rows = (
        Sim.objects.filter(since__lte=at, imsi__isnull=False)
        .filter(models.Q(ended_at=None) | models.Q(ended_at__gt=at))
        .annotate(who=Coalesce("line__person__merged_into", "line__person"))
        .order_by("who")
        .values_list("who", "imsi")
        .iterator(chunk_size=5000)
    )
    for who, sims in groupby(rows, key=lambda row: row[0]):
        for imsi in sorted(opened(sealed) for _, sealed in sims):
            yield (uid_of(who), imsi)


EXPORTS = (
    Export(
        source="subscribers",
        doc="Which subscription belongs to which person, as operators reported it.",
        header=("uid", "imsi"),
        rows=subscribers,
    ),
)
