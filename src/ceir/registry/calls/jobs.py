from datetime import datetime, timedelta

from ceir.registry.calls.remembering import forget
from ceir.registry.jobs import Job


def _forget(at: datetime) -> str:
    return f"{forget(at)} first answers forgotten"


JOBS = (Job("calls-forget", "Forget answers to repeated calls after a day.", timedelta(minutes=30), _forget),)
