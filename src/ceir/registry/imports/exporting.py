"""Consignments' IMEIs as the pipeline takes them in."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

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
    record(SYSTEM, "import.lists_exported", "imports:all", at=at, detail={"consignments": len(leaving)})
    for page in sealed_lists.all_rows():
        counting = [(imei, leaving[owner]) for imei, owner, _ in page if owner in leaving]
        if not counting:
            continue
        kept_back = {
            found.pk: findings.kept_back(found.pk, found.checked_round, counting[0][0], counting[-1][0])
            for found in {found.pk: found for _, found in counting}.values()
        }
        for imei, same in groupby(counting, key=lambda row: row[0]):
            listed = [found for _, found in same]
            if any(imei in kept_back[found.pk] for found in listed):
                continue
            first = min(listed, key=lambda found: (found.released_at is None, found.submitted_at, found.pk))
            yield (
                f"{imei:014}",
                first.number,
                first.importer.code,
                _day(first.submitted_at),
                _day(first.released_at),
            )


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
