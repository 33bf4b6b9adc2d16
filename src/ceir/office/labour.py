"""The process that works by itself: jobs that are due, or tasks of the queue."""

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from ceir.clock import system_clock
from ceir.interfaces.serving.logs import log_as_json
from ceir.office.configuration import options_of, read_orders, ready_file
from ceir.office.lineage import watch_parent
from ceir.registry.project.configuring import configure

MEASURES = "jobs-0"
"""The process that looks how jobs and tasks stand, for all."""

_MEASURE_SECONDS = 10.0

_log = logging.getLogger("ceir.office.labour")


def main(folder: Path, name: str, duty: str) -> int:
    """Work until SIGTERM; what is begun then is ended first. Returns: the exit code."""
    log_as_json()
    told = read_orders(folder)
    watch_parent(os.getppid(), told.office.grace_seconds)
    configure(options_of(told))
    from django.db import Error  # noqa: PLC0415 - Django is set up only now
    from django.db.models.signals import post_save  # noqa: PLC0415
    from django_tasks.base import TaskResultStatus  # noqa: PLC0415
    from django_tasks_db.models import DBTaskResult  # noqa: PLC0415

    from ceir.office.measuring import TASKS_ENDED, measure_work  # noqa: PLC0415
    from ceir.registry.background.working import Duty, work  # noqa: PLC0415

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # A terminal sends SIGINT to the whole group: the process that looks after the others tells this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    measured = [0.0]

    def measure() -> None:
        if name == MEASURES and time.monotonic() - measured[0] >= _MEASURE_SECONDS:
            measured[0] = time.monotonic()
            measure_work()

    def count(sender: object, instance: DBTaskResult[..., object], **_: object) -> None:  # noqa: ARG001 - Django's
        if instance.status in (TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED):
            TASKS_ENDED.labels(instance.status.lower()).inc()

    post_save.connect(count, sender=DBTaskResult)
    try:
        work(
            {Duty(duty)},
            system_clock,
            stop,
            ready=ready_file(folder, name).touch,
            each_time=measure,
        )
    except Error as error:
        # What the driver says may hold a row; its kind is enough to look into the database's own log.
        _log.error("database_lost", extra={"error": type(error).__name__})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
