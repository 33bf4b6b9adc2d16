from datetime import datetime, timedelta

from ceir.registry.audit.chain import verify
from ceir.registry.jobs import Job


def _verify(_at: datetime) -> str:
    return f"the record is whole; its mark: {verify()}"


JOBS = (Job("audit-verify", "Hold the record of deeds against itself.", timedelta(days=7), _verify),)
