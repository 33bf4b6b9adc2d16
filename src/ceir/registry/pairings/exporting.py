"""The list of pairings for the pipeline, which makes exceptions of them."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from ceir.registry.exports import Export, all_exports
from ceir.registry.pairings.models import Pairing, State
from ceir.registry.personal.whole_lists import begin_list, opened

_IN_FORCE = ("", "blacklist")
_LIKE_AN_IMEI = re.compile(r"[0-9]{14}")


def pairings(at: datetime) -> Iterator[tuple[str, ...]]:
    """Which equipment works with which subscriber, where his operator has told the SIM.

    Stolen and lost equipment is left out: an exception would let it work with whoever paired it before. When
    the case ends the pairing is there again. What an appeal decided in spite of the report stays.
    """
    begin_list("pairings", at=at)
    left_out = missing(at)
    rows = (
        Pairing.objects.filter(state=State.IN_FORCE.value, in_force_at__lte=at)
        .filter(line__ended_at=None, line__sims__ended_at=None, line__sims__isnull=False)
        .order_by("imei")
        .values_list("imei", "line__sims__imsi", "line__number", "despite_report")
        .iterator(chunk_size=5000)
    )
    for imei, lines in groupby(rows, key=lambda row: int(row[0])):
        let = [(imsi, number) for _, imsi, number, despite in lines if despite or imei not in left_out]
        for imsi, msisdn in sorted({(opened(imsi), opened(number)) for imsi, number in let}):
            yield (f"{imei:014}", imsi, msisdn)


def missing(at: datetime) -> frozenset[int]:
    """Equipment that cases say is stolen or lost, as they tell the pipeline."""
    cases = all_exports().get("stolen")
    if cases is None:
        return frozenset()
    imei, status = cases.header.index("imei"), cases.header.index("status")
    return frozenset(
        int(row[imei][:14])
        for row in cases.rows(at)
        if row[status] in _IN_FORCE and _LIKE_AN_IMEI.match(row[imei])
    )


EXPORTS = (
    Export(
        source="pairings",
        doc="Equipment bound to subscribers: works with them although its IMEI is blocked.",
        header=("imei", "imsi", "msisdn"),
        rows=pairings,
    ),
)
