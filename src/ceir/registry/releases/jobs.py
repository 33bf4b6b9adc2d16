from datetime import datetime, timedelta

from ceir.registry.actors import SYSTEM
from ceir.registry.jobs import Job
from ceir.registry.releases.releasing import carry_on_all


def _carry_on(at: datetime) -> str:
    progress = carry_on_all(actor=SYSTEM, at=at)
    moved = sum(one.moved for one in progress)
    stopped = sum(bool(one.stopped_by) for one in progress)
    return f"{len(progress)} releases, {moved} devices let out, {stopped} stopped"


JOBS = (
    Job(
        "releases-carry-on",
        "Let running releases go on, and stop those above their budget.",
        timedelta(minutes=5),
        _carry_on,
    ),
)
