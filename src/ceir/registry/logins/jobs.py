"""What is forgotten by itself: failures that no longer count, sessions that are over."""

from datetime import datetime, timedelta

from django.contrib.sessions.models import Session

from ceir.registry.jobs import Job
from ceir.registry.logins.limiting import forget

_DAY = timedelta(days=1)


def _forget(at: datetime) -> str:
    failures = forget(at - 2 * _DAY)
    sessions, _ = Session.objects.filter(expire_date__lt=at).delete()
    return f"{failures} counts of failures, {sessions} sessions"


JOBS = (
    Job(
        name="logins-forget",
        doc="Forget sessions that are over, and failed log-ins that no longer count.",
        every=_DAY,
        run=_forget,
    ),
)
