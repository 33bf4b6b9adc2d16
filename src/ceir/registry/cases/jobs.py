from datetime import datetime, timedelta

from ceir.registry.cases.deadlines import pass_deadlines
from ceir.registry.jobs import Job


def _deadlines(at: datetime) -> str:
    return f"{pass_deadlines(at)} provisional blocks lifted"


JOBS = (
    Job(
        "cases-deadlines",
        "Lift provisional blocks whose deadline passed undecided.",
        timedelta(minutes=1),
        _deadlines,
    ),
)
