from datetime import datetime, timedelta

from ceir.registry.jobs import Job
from ceir.registry.proposals.deciding import expire


def _expire(at: datetime) -> str:
    return f"{expire(at)} proposals closed"


JOBS = (Job("proposals-end", "Close proposals that nobody decided in time.", timedelta(minutes=5), _expire),)
