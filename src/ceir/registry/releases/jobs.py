from datetime import datetime, timedelta

from ceir.registry.actors import SYSTEM
from ceir.registry.jobs import Job
from ceir.registry.releases.releasing import carry_on_all, told_of


def _carry_on(at: datetime) -> str:
    return told_of(carry_on_all(actor=SYSTEM, at=at))


JOBS = (
    Job(
        "releases-carry-on",
        "Let running releases go on, and stop those above their budget.",
        timedelta(minutes=5),
        _carry_on,
    ),
)
