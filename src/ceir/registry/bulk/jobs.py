from datetime import datetime, timedelta

from ceir.registry.bulk.asking import forget
from ceir.registry.jobs import Job


def _forget(at: datetime) -> str:
    return f"{forget(at)} questions of many identifiers forgotten"


JOBS = (
    Job("bulk-forget", "Forget questions of many identifiers after their days.", timedelta(hours=1), _forget),
)
