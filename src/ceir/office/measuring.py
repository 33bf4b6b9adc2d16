"""What the processes of an office count: each in files of its own, which one of them reads for all."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_NEWEST: Literal["mostrecent"] = "mostrecent"

REQUESTS = Histogram(
    "ceir_register_seconds",
    "Requests to pages and API, from first octet to answer.",
    ["area", "method", "status"],
    buckets=_BOUNDS,
)
"""`area` is `api` or `pages`; never a path, which may name a device or a person."""

JOB_DONE = Gauge(
    "ceir_job_ended_well_timestamp_seconds", "When a job last ended well.", ["job"], multiprocess_mode=_NEWEST
)
JOB_FAILURES = Gauge(
    "ceir_job_failures", "Runs of a job in a row that did not end well.", ["job"], multiprocess_mode=_NEWEST
)
JOB_LATE = Gauge(
    "ceir_job_late", "1: a job has not ended well for much too long.", ["job"], multiprocess_mode=_NEWEST
)
TASKS = Gauge("ceir_tasks", "Tasks of the queue.", ["status"], multiprocess_mode=_NEWEST)
TASK_WAITS = Gauge(
    "ceir_task_waits_seconds", "Since when the oldest task waits that could run.", multiprocess_mode=_NEWEST
)
TASKS_ENDED = Counter("ceir_tasks_ended", "Tasks that workers ran.", ["outcome"])
_STATUSES = ("READY", "RUNNING", "FAILED", "SUCCESSFUL")


def counted(folder: str) -> Iterable[Metric]:
    """Everything that was counted in a folder, summed over processes."""
    return MultiProcessCollector(None, folder).collect()  # type: ignore[no-untyped-call, no-any-return]


def measure_work() -> None:
    """Look at jobs and tasks; by one process, now and then."""
    from django.db.models import Count, Min  # noqa: PLC0415 - the process that reads has no Django
    from django_tasks_db.models import DBTaskResult  # noqa: PLC0415

    from ceir.registry.background.scheduling import standings  # noqa: PLC0415

    now = datetime.now(UTC)
    for one in standings(now):
        JOB_LATE.labels(one.job.name).set(one.late)
        JOB_FAILURES.labels(one.job.name).set(one.last.failures if one.last else 0)
        if one.last is not None and one.last.done_at is not None:
            JOB_DONE.labels(one.job.name).set(one.last.done_at.timestamp())
    counts = dict(DBTaskResult.objects.order_by().values_list("status").annotate(Count("pk")))
    for status in _STATUSES:
        TASKS.labels(status.lower()).set(counts.get(status, 0))
    oldest = DBTaskResult.objects.ready().aggregate(at=Min("enqueued_at"))["at"]
    TASK_WAITS.set(0 if oldest is None else max(0.0, (now - oldest).total_seconds()))
