"""Sightings of blocked devices as a sign that a release does not do what it is for."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from ceir.registry.cases.models import Trace
from ceir.registry.releases.models import Release
from ceir.registry.releases.releasing import released_devices
from ceir.registry.releases.signals import Signal


def seen_although_released(release_id: int, at: datetime) -> int:
    """Devices that a release let out and a network served all the same since it began, each once."""
    begun = Release.objects.values_list("started_at", flat=True).get(pk=release_id)
    if begun is None:
        return 0
    out = released_devices(release_id).filter(imei=OuterRef("imei"))
    traces = Trace.objects.filter(last_seen_at__gte=begun, opened_at__lte=at)
    return traces.filter(Exists(out)).values("imei").distinct().count()


SIGNALS = (
    Signal(
        name="sightings",
        doc="Lost devices that were released and that a network served since the release began.",
        count=seen_although_released,
    ),
)
