"""People who hold nothing any more: from then on the days count for which they are remembered."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from ceir.registry.registrations.models import LIVING, Registration
from ceir.registry.subscribers.models import Line, Person


def let_people_go(at: datetime) -> int:
    """Note who holds neither a number nor a device since the last time, and who does again. Returns: how many
    hold nothing since."""
    same = Q(person=OuterRef("pk")) | Q(person__merged_into=OuterRef("pk"))
    holds = Exists(Line.objects.filter(same, ended_at=None)) | Exists(
        Registration.objects.filter(same, state__in=LIVING)
    )
    Person.objects.filter(holds, ended_at__isnull=False).update(ended_at=None)
    return Person.objects.filter(~holds, ended_at=None, entered_at__lt=at).update(ended_at=at)
