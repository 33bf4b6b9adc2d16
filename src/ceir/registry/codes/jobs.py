from datetime import datetime, timedelta

from ceir.registry.codes.proving import forget
from ceir.registry.jobs import Job

_KEPT = timedelta(days=2)
"""Longer than any allowance counts and any code or proof is good for."""


def _forget(at: datetime) -> str:
    return f"{forget(at - _KEPT)} codes deleted"


JOBS = (Job("codes-forget", "Delete one-time codes of days past.", timedelta(hours=6), _forget),)
