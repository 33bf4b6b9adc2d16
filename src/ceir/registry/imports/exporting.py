"""Consignments' IMEIs as the pipeline takes them in."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from django.utils.timezone import localdate

from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import record
from ceir.registry.exports import Export
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.models import RELEASED, Consignment, State
from ceir.registry.imports.reasons import Reason

_LEAVING = (State.CHECKED.value, *RELEASED)


def rows(at: datetime) -> Iterator[tuple[str, ...]]:
    """A row an IMEI, sorted; of several consignments the one it was released with, else the first.

    The pipeline's rule holds it against a device to have been seen before its release. So an IMEI that was in
    use before its list came, or is somebody's registered device, is not named; nor is any IMEI of a list for
    which nothing was there to look that up, or that customs refused. That the lists were read is recorded.
    """
    leaving = {
        found.pk: found
        for found in Consignment.objects.filter(state__in=_LEAVING).select_related("importer")
        if Reason.SEEN.value not in found.not_made
    }
    said = {
        found.pk: (found.number, found.importer.code, _day(found.submitted_at), _day(found.released_at))
        for found in leaving.values()
    }
    record(SYSTEM, "import.lists_exported", "imports:all", at=at, detail={"consignments": len(leaving)})
    for page in sealed_lists.all_rows():
        counting = [(imei, owner) for imei, owner, _ in page if owner in leaving]
        if not counting:
            continue
        kept_back = {
            owner: findings.kept_back(owner, leaving[owner].checked_round, counting[0][0], counting[-1][0])
            for owner in {owner for _, owner in counting}
        }
        for imei, same in groupby(counting, key=itemgetter(0)):
            owners = [owner for _, owner in same]
            if any(imei in kept_back[owner] for owner in owners):
                continue
            yield (f"{imei:014}", *said[owners[0] if len(owners) == 1 else _first(leaving, owners)])


def _first(leaving: Mapping[int, Consignment], owners: list[int]) -> int:
    listed = [leaving[owner] for owner in owners]
    return min(listed, key=lambda found: (found.released_at is None, found.submitted_at, found.pk)).pk


def _day(moment: datetime | None) -> str:
    return f"{localdate(moment):%Y%m%d}" if moment else ""


EXPORTS = (
    Export(
        "imports",
        "IMEIs of consignments and when customs released them; not those in use before.",
        ("imei", "consignment", "importer", "submitted_on", "released_on"),
        rows,
    ),
)
