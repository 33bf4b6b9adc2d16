"""One command at a time changes a workspace; another one waits its turn or says that it is busy."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ceir.pipeline.workspace import Workspace, WorkspaceBusyError

from .conftest import Desk

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
HOLDING = """
import sys, time
from pathlib import Path
from ceir.pipeline.workspace import Workspace
with Workspace.open(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(600)
"""
TAKING = """
import json, sys
from pathlib import Path
from faults.commands import take_in_file
order = json.loads(sys.argv[1])
take_in_file(Path(order.pop("root")), **order)
"""


def another_holds(root: Path) -> subprocess.Popen[str]:
    """Another process that has the workspace locked."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(root)], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_command_is_told_that_the_first_is_at_work_until_that_one_is_gone(desk: Desk) -> None:
    holder = another_holds(desk.workspace.root)
    try:
        with pytest.raises(WorkspaceBusyError, match="Another command is changing"):
            take_in_now(desk)
    finally:
        holder.kill()  # a killed process holds nothing
        holder.wait()
    take_in_now(desk)
    assert len(desk.workspace.catalogue().ingests) == 1


def take_in_now(desk: Desk) -> None:
    with desk.workspace.locked(wait_seconds=0):
        desk.take("barred", "imei\n35675904000001\n")


def test_a_command_waits_for_another_one_and_says_so_once(desk: Desk) -> None:
    told: list[str] = []
    release = threading.Event()
    with Workspace.open(desk.workspace.root).locked():
        thread = threading.Thread(target=_wait_for_it, args=(desk, told, release))
        thread.start()
        assert release.wait(60)
        assert told == ["waiting"]
    thread.join(60)
    assert told == ["waiting", "got it"]


def _wait_for_it(desk: Desk, told: list[str], release: threading.Event) -> None:
    def waiting() -> None:
        told.append("waiting")
        release.set()

    with desk.workspace.locked(wait_seconds=60, waiting=waiting):
        told.append("got it")


def test_the_lock_is_given_back_when_a_command_fails(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.workspace.locked(wait_seconds=0):
        raise ZeroDivisionError
    with desk.workspace.locked(wait_seconds=0):
        pass


def test_files_brought_at_the_same_time_are_all_taken_in(desk: Desk) -> None:
    orders = [
        {
            "root": str(desk.workspace.root),
            "source": "barred",
            "file": str(desk.put(f"imei,change_type\n3567590400000{n},add\n", f"barred-{n}.csv")),
            "delta": "yes",
        }
        for n in range(2)
    ]
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKING, json.dumps(order)], env=ENVIRONMENT)
        for order in orders
    ]
    assert [process.wait() for process in processes] == [0, 0]
    assert [i.id for i in desk.workspace.catalogue().ingests] == [1, 2]
    assert len(desk.entries("barred")) == 2
