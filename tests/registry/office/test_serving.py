"""`ceir serve` as a small country starts it: real processes, killed and stopped as happens to processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from offices import Office, ceir, environment, lives, own_database, ready_country, wait_for

pytestmark = pytest.mark.slow

CHILDREN = ("web", "jobs-0", "jobs-1", "tasks-0")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("country")
    with own_database("ceir_serving") as settings:
        ceir("init", "here", settings=settings, folder=folder)
        made = Office(folder / "here", settings)
        try:
            yield made
        finally:
            made.end()


def in_register(office: Office, program: str) -> str:
    """Run a program in the register that the office serves."""
    lines = f"""
import sys
from ceir.cli._register import open_register
from ceir.cli._session import Session
open_register(Session(as_json=True, debug=True))
{program}
"""
    done = subprocess.run(
        [sys.executable, "-c", lines], check=False, cwd=office.folder, env=environment(office.settings),
        text=True, capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def enqueue(office: Office, task: str, argument: str) -> str:
    return in_register(office, f"import slow_tasks\nprint(slow_tasks.{task}.enqueue({argument!r}).id)")


def wait_for_end(office: Office, task: str) -> str:
    wait_for(lambda: [e for e in office.events("task_ended") if e["task"] == task], "the task ended")
    return status_of(office, task)


def status_of(office: Office, task: str) -> str:
    return in_register(
        office,
        "from django_tasks_db.models import DBTaskResult\n"
        f"t = DBTaskResult.objects.get(pk={task!r})\n"
        "print(t.status, len(t.worker_ids), t.return_value, t.exception_class_path)",
    )


def test_two_commands_make_a_register_that_answers(office: Office) -> None:
    page = office.get("/account/login/")
    assert page.status_code == 200
    assert "<form" in page.text
    assert office.get("/static/admin/css/base.css").headers["content-type"].startswith("text/css")
    assert office.get("/api/v1/openapi.json").json()["info"]["title"] == "OpenCEIR"
    assert office.get("/api/v1/record").status_code in (401, 404)
    assert office.get("/readyz").text == "ready\n"
    assert "ceir createadmin" in office.text()


def test_whoever_looks_sees_what_was_done_and_how_it_stands(office: Office) -> None:
    office.get("/api/v1/proposals?imei=356759041234567")
    wait_for(lambda: office.metric("ceir_job_ended_well_timestamp_seconds"), "a job ended")
    assert office.metric('ceir_office_up{process="web"}') == 1
    assert office.metric('ceir_register_seconds_count{area="api"') >= 1
    assert office.metric('ceir_job_late{job="cases-deadlines"}') == 0
    jobs = json.loads(ceir("jobs", "--json", settings=office.settings, folder=office.folder).stdout)["jobs"]
    assert {job["state"] for job in jobs} <= {"done", "running"}
    assert "35675904" not in office.text()
    assert any(event["route"].startswith("api/v1/") for event in office.events("request"))


@pytest.mark.parametrize("name", ["web", "jobs-0", "tasks-0"])
def test_a_process_that_is_killed_is_started_again(office: Office, name: str) -> None:
    before = office.child(name)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: office.child(name) != before, f"{name} is started again")
    office.wait_ready()
    assert office.get("/readyz").status_code == 200
    assert office.metric(f'ceir_office_restarts_total{{process="{name}"}}') >= 1
    wait_for(lambda: len(office.family()) == len(CHILDREN) + 1, "nobody of before is left")


def test_a_task_whose_worker_is_killed_is_done_by_the_next(office: Office, tmp_path: Path) -> None:
    task = enqueue(office, "wait_for_leave", str(tmp_path))
    began = tmp_path / "began"
    wait_for(began.exists, "it began")
    os.kill(int(began.read_text().split()[0]), signal.SIGKILL)
    wait_for(lambda: len(began.read_text().split()) == 2, "it began again")
    (tmp_path / "leave").touch()
    assert wait_for_end(office, task).startswith("SUCCESSFUL 2 left")


def test_a_task_that_fails_is_seen(office: Office) -> None:
    task = enqueue(office, "fail", "356759041234567")
    assert wait_for_end(office, task).startswith("FAILED")
    shown = json.loads(ceir("jobs", "--json", settings=office.settings, folder=office.folder).stdout)
    assert shown["failed_tasks"][0]["error"].endswith("ValueError")
    assert "356759041234567" not in office.text()


def test_workers_whose_database_left_come_back_with_it(office: Office) -> None:
    address = office.settings.get("CEIR_DATABASE")
    if address is None:
        pytest.skip("SQLite has no server that could leave")
    before, told = office.child("jobs-0"), len(office.text())
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_for(lambda: office.child("jobs-0") != before, "the worker is started again")
    office.wait_ready()
    assert office.get("/readyz").status_code == 200
    assert office.get("/account/login/").status_code == 200
    assert "Traceback" not in office.text()[told:]


def test_a_second_one_is_told_that_the_place_is_taken(office: Office) -> None:
    refused = ceir(
        "serve", "--config", str(office.config), settings=office.settings, folder=office.folder, code=2
    )
    assert "office_configuration" in refused.stderr


def test_told_to_end_it_lets_a_task_end_and_leaves_nobody(tmp_path: Path) -> None:
    with ready_country("ceir_serving_end", tmp_path) as settings:
        one = Office(tmp_path / "here", settings)
        try:
            task = enqueue(one, "wait_for_leave", str(tmp_path))
            wait_for((tmp_path / "began").exists, "it began")
            family = one.family()
            assert len(family) == len(CHILDREN) + 1
            one.process.send_signal(signal.SIGTERM)
            (tmp_path / "leave").touch()
            assert one.process.wait(60) == 0
            assert not any(map(lives, family))
            assert status_of(one, task).startswith("SUCCESSFUL 1")
            assert one.events("office_ended")
            assert not one.events("process_killed")
            assert "Traceback" not in one.text()
            # Killed without a word, it takes the others with it, and the next one finds nothing in its way.
            one = Office(tmp_path / "here", settings)
            family = one.family()
            one.end(signal.SIGKILL)
            wait_for(lambda: not any(map(lives, family)), "the others ended")
            one = Office(tmp_path / "here", settings)
        finally:
            assert one.end() in (0, -signal.SIGKILL)
