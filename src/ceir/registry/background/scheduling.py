"""Doing what is due: each job by one worker at a time, and what a killed one began anew."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import transaction

from ceir.clock import Clock
from ceir.errors import CeirError
from ceir.registry.background.models import LastRun, Outcome
from ceir.registry.background.presence import Presence, is_present
from ceir.registry.jobs import Job, all_jobs

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)
_LONGEST_TOLD = 500
_TOLERANCE = timedelta(minutes=10)

_log = logging.getLogger(__name__)


class JobRunningError(CeirError):
    """Another process runs the job at this moment."""

    code: ClassVar[str] = "job_running"


class JobFailedError(CeirError):
    """A job did not end well."""

    code: ClassVar[str] = "job_failed"


@dataclass(frozen=True)
class Standing:
    """How a job stands.

    Args:
        last: its last run; None: it never ran, and no worker has seen it.
        running: a worker is at it.
        interrupted: whoever ran it is gone.
        due_at: when it runs next.
        late: it did not end well for much longer than it should.
    """

    job: Job
    last: LastRun | None
    running: bool
    interrupted: bool
    due_at: datetime
    late: bool


def standings(at: datetime) -> tuple[Standing, ...]:
    """How every job stands at a moment, by name."""
    last = LastRun.objects.in_bulk(list(all_jobs()))
    return tuple(_standing(job, last.get(name), at) for name, job in all_jobs().items())


def run_due(presence: Presence, clock: Clock, going_on: Callable[[], bool] = lambda: True) -> int:
    """Run every job that is due and that no other worker runs.

    A job that fails is recorded and tried again, sooner than its turn; the others go on.

    Args:
        going_on: asked between two jobs; False: the rest waits for the next time.

    Returns: jobs run.
    """
    known = _make_known(clock())
    ran = 0
    for job in all_jobs().values():
        if not going_on():
            break
        if not _may_be_due(job, known[job.name], clock()):
            continue
        if _claim(job, presence, clock(), even_if_not_due=False):
            _run(job, presence, clock)
            ran += 1
    return ran


def run_now(job: Job, presence: Presence, clock: Clock) -> str:
    """Run a job now, due or not.

    Returns: what it told.

    Raises:
        JobRunningError: another process is at it.
        JobFailedError: it failed.
    """
    _make_known(clock())
    if not _claim(job, presence, clock(), even_if_not_due=True):
        raise JobRunningError(f"Another process is running {job.name}.", "See it with: ceir jobs")
    outcome, told = _run(job, presence, clock)
    if outcome is Outcome.FAILED:
        raise JobFailedError(f"{job.name} failed: {told}.", "Look into the log; it will be tried again.")
    return told


def next_due(job: Job, last: LastRun | None, *, interrupted: bool) -> datetime | None:
    """When a job is to run again; None: at once.

    After a failure sooner than its turn, but each time later, so that a job that kills its worker does not
    do so without end.
    """
    if last is None or last.started_at is None:
        return None
    if last.ended_at is not None and last.outcome == Outcome.DONE.value:
        turn: datetime = last.started_at + job.every
        return turn
    failures = last.failures + (1 if interrupted and last.ended_at is None else 0)
    if interrupted and failures <= 1:
        return None
    ended: datetime = last.ended_at or last.started_at
    longer = _FIRST_WAIT * float(1 << min(max(failures - 1, 0), 16))
    wait = min(longer, _LONGEST_WAIT, max(job.every, _FIRST_WAIT))
    return ended + wait


def _standing(job: Job, last: LastRun | None, at: datetime) -> Standing:
    open_ = last is not None and last.started_at is not None and last.ended_at is None
    running = open_ and last is not None and last.worker is not None and is_present(last.worker)
    due_at = next_due(job, last, interrupted=open_ and not running) or at
    since = (last.done_at or last.known_since) if last is not None else at
    late = at - since > job.every + max(job.every, _TOLERANCE)
    return Standing(job, last, running, open_ and not running, due_at, late)


def _make_known(at: datetime) -> dict[str, LastRun]:
    """The last run of every job; a row is made for those that are new."""
    known = LastRun.objects.in_bulk(list(all_jobs()))
    fresh = [LastRun(name=name, known_since=at) for name in all_jobs() if name not in known]
    if fresh:
        LastRun.objects.bulk_create(fresh, ignore_conflicts=True)
        known |= {one.name: one for one in fresh}
    return known


def _may_be_due(job: Job, last: LastRun, at: datetime) -> bool:
    """Whether to try to claim it: without a lock, so that looking costs nobody anything."""
    if last.started_at is not None and last.ended_at is None:
        return last.worker is None or not is_present(last.worker)
    due_at = next_due(job, last, interrupted=False)
    return due_at is None or due_at <= at


def _claim(job: Job, presence: Presence, at: datetime, *, even_if_not_due: bool) -> bool:
    with transaction.atomic():
        last = LastRun.objects.select_for_update().get(pk=job.name)
        interrupted = last.started_at is not None and last.ended_at is None
        if interrupted and last.worker is not None and is_present(last.worker):
            return False
        due_at = next_due(job, last, interrupted=interrupted)
        if not even_if_not_due and due_at is not None and due_at > at:
            return False
        if interrupted:
            _log.error("job_interrupted", extra={"job": job.name, "started": str(last.started_at)})
            last.failures += 1
        last.worker, last.started_at, last.ended_at = presence.number, at, None
        last.outcome, last.told = "", ""
        last.save()
    return True


def _run(job: Job, presence: Presence, clock: Clock) -> tuple[Outcome, str]:
    presence.confirm()
    began = clock()
    try:
        outcome, told = Outcome.DONE, job.run(began)
    except CeirError as error:
        outcome, told = Outcome.FAILED, f"{error.code}: {error.detail}"
        _log.error("job_failed", extra={"job": job.name, "code": error.code})
    except Exception as error:  # noqa: BLE001 - one job that fails must not stop the others
        # Its text may hold what the database was asked; the log hides identities, this table does not.
        outcome, told = Outcome.FAILED, type(error).__name__
        _log.exception("job_failed", extra={"job": job.name})
    ended = clock()
    with transaction.atomic():
        last = LastRun.objects.select_for_update().get(pk=job.name)
        if last.worker != presence.number:
            return outcome, told  # another took it over, and its outcome is the one that counts
        last.ended_at, last.outcome, last.told = ended, outcome.value, told[:_LONGEST_TOLD]
        if outcome is Outcome.DONE:
            last.done_at, last.failures = ended, 0
            # What is done every few seconds would drown everything else.
            level = logging.INFO if job.every >= _FIRST_WAIT else logging.DEBUG
            told_too = {"job": job.name, "told": told, "seconds": _seconds(began, ended)}
            _log.log(level, "job_done", extra=told_too)
        else:
            last.failures += 1
        last.save()
    return outcome, told


def _seconds(began: datetime, ended: datetime) -> float:
    return round((ended - began).total_seconds(), 3)
