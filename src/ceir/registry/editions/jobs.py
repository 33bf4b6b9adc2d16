from datetime import datetime, timedelta

from ceir.registry.actors import SYSTEM
from ceir.registry.editions.excepting import forget_exceptions, issue_all_exceptions
from ceir.registry.editions.issuing import forget, issue_all
from ceir.registry.jobs import Job


def _issue(at: datetime) -> str:
    # Exceptions first: a block never goes out before the lines that are to go on in spite of it.
    made = issue_all_exceptions(actor=SYSTEM, at=at) + issue_all(actor=SYSTEM, at=at)
    return f"{made} editions issued"


def _forget(at: datetime) -> str:
    return f"{forget(at) + forget_exceptions(at)} editions forgotten"


JOBS = (
    Job("editions-issue", "Issue the lists that go out where they changed.", timedelta(minutes=1), _issue),
    Job("editions-forget", "Forget editions after 90 days.", timedelta(days=1), _forget),
)
