from datetime import datetime, timedelta

from ceir.registry.cases.deadlines import close_forgotten, pass_deadlines
from ceir.registry.jobs import Job


def _deadlines(at: datetime) -> str:
    return f"{pass_deadlines(at)} provisional blocks lifted"


def _forgotten(at: datetime) -> str:
    return f"{close_forgotten(at)} cases closed"


JOBS = (
    Job(
        "cases-deadlines",
        "Lift provisional blocks whose deadline passed undecided.",
        timedelta(minutes=1),
        _deadlines,
    ),
    Job(
        "cases-forgotten",
        "Close cases that nothing happened to for a year, so that what is personal in them is shredded.",
        timedelta(days=1),
        _forgotten,
    ),
)
