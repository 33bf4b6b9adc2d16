"""A worker: runs the jobs that are due, and tasks that were put into the queue.

The queue is a table (django-tasks-db): a task that is put into it in a transaction is there exactly when
what the transaction did is. What a worker that was killed had begun is begun anew by the next that looks,
so a task must bear being run twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from django.db import close_old_connections, transaction
from django_tasks.base import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from ceir.clock import Clock
from ceir.registry.background.presence import Presence, is_present, present
from ceir.registry.background.scheduling import run_due

MOST_BEGINNINGS = 5
"""A task that so many workers died of is given up: it may be what they died of."""

_PREFIX = "ceir-"

_log = logging.getLogger(__name__)


class WorkerGoneError(Exception):
    """So many workers began a task and were gone before it ended."""


class Duty(Enum):
    """What a worker does."""

    JOBS = "jobs"
    TASKS = "tasks"


@dataclass(frozen=True)
class Pauses:
    """How often a worker looks, in seconds.

    Args:
        idle: after it found nothing to do.
        between_jobs: between two looks for jobs that are due.
        between_rescues: between two looks for tasks that others left behind.
    """

    idle: float = 0.5
    between_jobs: float = 1
    between_rescues: float = 5


def work(
    duties: Collection[Duty],
    clock: Clock,
    stop: threading.Event,
    *,
    pauses: Pauses | None = None,
    ready: Callable[[], None] = lambda: None,
    each_time: Callable[[], None] = lambda: None,
) -> None:
    """Work until told to stop; what is begun then is ended first.

    Args:
        stop: set by whoever wants this to end.
        ready: called once others see this worker at work.
        each_time: called each time round, about every `between_rescues`.

    Raises:
        django.db.Error: the database cannot be reached any more. Whoever looks after this process starts
            another one.
    """
    chosen = pauses or Pauses()
    with present() as me:
        ready()
        jobs_at = rescues_at = 0.0
        while not stop.is_set():
            close_old_connections()
            now = time.monotonic()
            if now >= rescues_at:
                rescues_at = now + chosen.between_rescues
                me.confirm()
                take_back()
                each_time()
            if Duty.JOBS in duties and now >= jobs_at:
                jobs_at = now + chosen.between_jobs
                run_due(me, clock, lambda: not stop.is_set())
            if Duty.TASKS in duties and not stop.is_set() and run_next_task(me):
                continue
            stop.wait(chosen.idle)


def run_next_task(presence: Presence) -> bool:
    """Run the task whose turn it is. Returns: False: there was none."""
    worker = f"{_PREFIX}{presence.number}"
    with transaction.atomic():
        task = DBTaskResult.objects.ready().get_locked()
        if task is None:
            return False
        task.claim(worker)
    presence.confirm()
    Worker(
        queue_names=["*"],
        interval=0,
        batch=False,
        backend_name=task.backend_name,
        startup_delay=False,
        max_tasks=None,
        worker_id=worker,
    ).run_task(task)
    log = _log.info if task.status == TaskResultStatus.SUCCESSFUL else _log.error
    log("task_ended", extra={"task": str(task.pk), "name_of_task": task.task_name, "status": task.status})
    return True


def take_back() -> int:
    """Put back into the queue what workers had begun that are gone. Returns: how many."""
    back = 0
    running = DBTaskResult.objects.running()
    for key, workers in running.values_list("pk", "worker_ids"):
        if not _is_gone(workers):
            continue
        with transaction.atomic():
            task = running.select_for_update().filter(pk=key).first()
            if task is None or task.worker_ids != workers:
                continue  # it ended, or another took it back and began it
            if len(workers) >= MOST_BEGINNINGS:
                task.set_failed(WorkerGoneError(f"{len(workers)} workers began it and were gone"))
            else:
                task.status = TaskResultStatus.READY
                task.save(update_fields=["status"])
        _log.error("task_interrupted", extra={"task": str(key), "beginnings": len(workers)})
        back += 1
    return back


def _is_gone(workers: list[str]) -> bool:
    last = workers[-1] if workers else ""
    number = last.removeprefix(_PREFIX)
    # What others than our workers run is theirs.
    return last.startswith(_PREFIX) and number.isdecimal() and not is_present(int(number))
