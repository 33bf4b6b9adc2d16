from datetime import datetime, timedelta

from ceir.registry.jobs import Job
from ceir.registry.registrations import ending, transferring


def _ending(at: datetime) -> str:
    return f"{ending.expire(at)} registrations ended"


def _transfers(at: datetime) -> str:
    return f"{transferring.expire(at)} offers closed"


JOBS = (
    Job(
        "registrations-end",
        "End registrations whose time is over or whose duty was not paid.",
        timedelta(hours=1),
        _ending,
    ),
    Job("transfers-end", "Close offers of devices that nobody took.", timedelta(minutes=10), _transfers),
)
