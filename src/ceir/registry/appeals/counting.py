"""Appeals as a sign that a release cuts the wrong people."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from ceir.registry.appeals.models import Appeal, State
from ceir.registry.releases.models import Release
from ceir.registry.releases.releasing import released_devices
from ceir.registry.releases.signals import Signal


def appeals_about(release_id: int, at: datetime) -> int:
    """Appeals about devices that a release let out, made since it began; those that were taken back do not
    count."""
    begun = Release.objects.values_list("started_at", flat=True).get(pk=release_id)
    if begun is None:
        return 0
    out = released_devices(release_id).filter(imei=OuterRef("imei"))
    made = Appeal.objects.filter(made_at__gte=begun, made_at__lte=at).exclude(state=State.WITHDRAWN.value)
    return made.filter(Exists(out)).count()


SIGNALS = (
    Signal(
        name="appeals",
        doc="Appeals about released devices since the release began, but those taken back.",
        count=appeals_about,
    ),
)
