from datetime import datetime, timedelta

from ceir.registry.jobs import Job
from ceir.registry.personal.shredding import shred


def _shred(at: datetime) -> str:
    counts = shred(at)
    return f"{sum(counts.values())} values and documents shredded"


JOBS = (Job("personal-shred", "Overwrite personal data whose days are over.", timedelta(days=1), _shred),)
