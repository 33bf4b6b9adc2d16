"""People who hold nothing any more: from then on the days count for which they are remembered."""

from datetime import datetime

from django.db.models import Q

from ceir.registry.registrations.models import LIVING, Registration
from ceir.registry.subscribers.models import Line, Person


def let_people_go(at: datetime) -> int:
    """Note who holds neither a number nor a device since the last time, and who does again. Returns: how many
    hold nothing since."""
    lines = Line.objects.filter(ended_at=None)
    registrations = Registration.objects.filter(state__in=LIVING)
    holds = Q(pk__in=lines.values("person"))
    holds |= Q(pk__in=lines.filter(person__merged_into__isnull=False).values("person__merged_into"))
    holds |= Q(pk__in=registrations.filter(person__isnull=False).values("person"))
    holds |= Q(pk__in=registrations.filter(person__merged_into__isnull=False).values("person__merged_into"))
    Person.objects.filter(holds, ended_at__isnull=False).update(ended_at=None)
    return Person.objects.filter(~holds, ended_at=None, entered_at__lt=at).update(ended_at=at)
