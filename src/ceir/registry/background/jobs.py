from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django_tasks_db.models import DBTaskResult

from ceir.registry.jobs import Job

_KEPT = timedelta(days=30)


def _tasks(at: datetime) -> str:
    ended = DBTaskResult.objects.finished().filter(finished_at__lt=at - _KEPT)
    return f"{ended.delete()[0]} tasks forgotten"


def _sessions(at: datetime) -> str:
    if not settings.SESSION_ENGINE.endswith(".db"):
        return "sessions are not kept in the database"
    return f"{Session.objects.filter(expire_date__lt=at).delete()[0]} sessions forgotten"


JOBS = (
    Job("tasks-forget", "Forget tasks that ended 30 days ago.", timedelta(days=1), _tasks),
    Job("sessions-forget", "Forget log-ins that are over.", timedelta(days=1), _sessions),
)
