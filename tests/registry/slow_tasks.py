"""Tasks of tests: they tell in a file that they began, and wait for another."""

import os
import time
from pathlib import Path

from django_tasks import task


@task()
def wait_for_leave(folder: str) -> str:
    place = Path(folder)
    with (place / "began").open("a") as file:
        file.write(f"{os.getpid()}\n")
    while not (place / "leave").exists():
        time.sleep(0.02)
    return "left"


@task()
def kill_own_worker(folder: str) -> None:
    with (Path(folder) / "died").open("a") as file:
        file.write(f"{os.getpid()}\n")
    os.kill(os.getpid(), 9)


@task()
def fail(_secret: str) -> None:
    raise ValueError("it failed")
