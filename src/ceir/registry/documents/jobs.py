from datetime import datetime, timedelta

from ceir.registry.documents.keeping import sweep
from ceir.registry.jobs import Job

_YOUNG = timedelta(days=1)
"""Files younger than this may be of a document that is just being kept."""


def _sweep(at: datetime) -> str:
    return f"{sweep(at - _YOUNG)} files removed"


JOBS = (Job("documents-sweep", "Remove files that no document needs any more.", timedelta(days=1), _sweep),)
