from datetime import datetime, timedelta

from ceir.registry.appeals.deciding import run_clocks
from ceir.registry.jobs import Job


def _clocks(at: datetime) -> str:
    return f"{run_clocks(at)} devices restored"


JOBS = (
    Job(
        "appeals-clocks",
        "Restore devices whose appeal nobody decided in time.",
        timedelta(minutes=5),
        _clocks,
    ),
)
