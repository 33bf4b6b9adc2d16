"""Measures the queue: milliseconds of CPU that a task takes beside its own work.

    tools/postgres.sh uv run python benchmarks/registry/tasks.py [TASKS]

Without CEIR_TEST_DATABASE it runs on SQLite.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

KEPT = 20_000
"""Tasks that ended earlier lie in the same table, as they do for 30 days."""


def cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_keys(Path(folder) / "keys")
        database = os.environ.get("CEIR_TEST_DATABASE") or Path(folder) / "register.sqlite3"
        configure(RegistryOptions(database, "for measuring " * 3, Path(folder) / "keys"))
        from django.db import connection
        from django.utils import timezone
        from django_tasks import task
        from django_tasks_db.models import DBTaskResult

        from ceir.registry.background.presence import present
        from ceir.registry.background.working import run_next_task, take_back
        from ceir.registry.project.migrating import migrate

        migrate()
        globals()["nothing"] = task()(nothing)
        now = timezone.now()
        DBTaskResult.objects.bulk_create(
            DBTaskResult(
                status="SUCCESSFUL", args_kwargs={"args": [], "kwargs": {}}, task_path="queue.nothing",
                backend_name="default", run_after=now, finished_at=now, exception_class_path="", traceback="",
            )
            for _ in range(KEPT)
        )  # fmt: skip
        began, used = time.perf_counter(), cpu()
        for n in range(count):
            globals()["nothing"].enqueue(n)
        put, put_used = time.perf_counter() - began, cpu() - used
        began, used = time.perf_counter(), cpu()
        with present() as me:
            while run_next_task(me):
                pass
            ran, ran_used = time.perf_counter() - began, cpu() - used
            began, used = time.perf_counter(), cpu()
            take_back()
            look = cpu() - used
        print(f"{connection.vendor}, {count} tasks beside {KEPT} that ended: ms of CPU here (of time)")
        print(f"put in:   {put_used / count * 1000:.2f} ({put / count * 1000:.2f})")
        print(f"run:      {ran_used / count * 1000:.2f} ({ran / count * 1000:.2f})")
        print(f"look for what others left: {look * 1000:.2f}")


def nothing(_n: int) -> None:
    """What is measured is all around it."""


if __name__ == "__main__":
    sys.modules["queue_of_register"] = sys.modules["__main__"]
    nothing.__module__ = "queue_of_register"
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
