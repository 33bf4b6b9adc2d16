import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import ceir.cli.classify
from ceir.cli._drawing import SHOWN_AFTER_SECONDS, Drawing
from ceir.testing.country import CountryFiles

from .conftest import LAST, Ceir

PROGRAM = Path(sys.executable).with_name("ceir")


def started(*line: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PROGRAM, *map(str, line)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def held(ceir: Ceir) -> Iterator[None]:
    """Another command holds the workspace."""
    with (ceir.workspace / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_the_installed_command_runs_as_a_program(ready: Ceir) -> None:
    process = started("--workspace", ready.workspace, "runs", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert len(json.loads(out)) == 2


def test_an_error_of_the_program_goes_to_stderr_with_code_and_hint(tmp_path: Path) -> None:
    process = started("--workspace", tmp_path, "runs")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("error [workspace_invalid]: ")
    assert second.startswith("hint: ")


def test_a_held_workspace_is_told_and_given_up_after_the_wait(ready: Ceir) -> None:
    with held(ready):
        assert ready.json("classify", "--wait", "0", expect=1)["error"]["code"] == "workspace_busy"
        result = ready.type("classify", "--wait", "0.3", expect=1)
    assert result.stderr.count("Another command is changing") == 2  # the note, then the error
    assert "waiting" in result.stderr


def test_a_command_goes_on_when_the_other_one_ends(ready: Ceir) -> None:
    with held(ready):
        process = started("--workspace", ready.workspace, "classify", "--wait", "60", "--json")
        assert process.stderr is not None
        assert "waiting" in json.loads(process.stderr.readline())["note"]
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert not json.loads(out)["new"]


def test_looking_does_not_wait_for_a_held_workspace(ready: Ceir) -> None:
    with held(ready):
        ready.type("runs", "--json")
        ready.type("diff", 1, 2)
        ready.type("identify", "35675904000001")


def test_leftovers_of_a_killed_command_are_removed_and_told(ready: Ceir) -> None:
    left = ready.workspace / "lake" / "stolen" / "999999-state.parquet"
    left.write_bytes(b"half")
    result = ready.type("classify")
    assert "interrupted" in result.stderr
    assert not left.exists()
    assert ready.type("classify").stderr == ""


def test_a_command_killed_at_work_changes_nothing_and_the_next_one_says_so(ready: Ceir) -> None:
    before = ready.catalogue()
    for _ in range(5):
        process = started("--workspace", ready.workspace, "classify", "--full")
        deadline = time.monotonic() + 30
        while not any((ready.workspace / "tmp").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        if any((ready.workspace / "tmp").iterdir()) and ready.catalogue() == before:
            break
    assert ready.catalogue() == before
    result = ready.type("classify")
    assert "An earlier command was interrupted" in result.stderr
    assert not any((ready.workspace / "tmp").iterdir())


def test_after_a_command_the_scratch_folder_is_empty(ready: Ceir) -> None:
    for line in (["classify", "--full"], ["publish"], ["explain", "35000000000000"]):
        ready.type(*line, expect=3 if line[0] == "explain" else 0)
        assert list((ready.workspace / "tmp").iterdir()) == []


def test_ctrl_c_while_waiting_ends_with_130_and_nothing_changed(ready: Ceir) -> None:
    before = ready.catalogue()
    with held(ready):
        process = started("--workspace", ready.workspace, "classify", "--full", "--wait", "60")
        assert process.stderr is not None
        assert "waiting" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "error [interrupted]: Interrupted; nothing was changed." in err
    assert ready.catalogue() == before


def test_ctrl_c_that_an_engine_turned_into_its_own_error_is_still_an_interruption(
    ready: Ceir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_work(*_: Any, **__: Any) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    monkeypatch.setattr(ceir.cli.classify, "classify_now", at_work)
    assert ready.json("classify", expect=130)["error"]["code"] == "interrupted"


def test_ctrl_c_after_something_was_finished_says_that_it_stays(
    fresh: Ceir, country: CountryFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ceir.cli.ingest.merge", pressed)
    _, path = country.observations[0]
    told = fresh.json("ingest", "observations", path, "--received-on", LAST, expect=130)["error"]
    assert told["detail"] == "Interrupted; 1 change was finished and stays."


def test_a_fault_of_ours_is_told_without_traceback_and_with_it_under_debug(
    ready: Ceir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("x")

    monkeypatch.setattr(ceir.cli.classify, "classify_now", broken)
    result = ready.type("classify", expect=1)
    assert result.stderr.startswith("error [internal]: KeyError")
    assert "report" in result.stderr
    with pytest.raises(AssertionError, match="Traceback"):
        ready.type("classify", "--debug", expect=1)


def test_with_json_nothing_but_json_is_written(ready: Ceir) -> None:
    (ready.workspace / "lake" / "left").write_bytes(b"")
    result = ready.type("classify", "--json")
    assert json.loads(result.stdout)["run"]
    assert [json.loads(line) for line in result.stderr.splitlines()]


def test_progress_is_silent_where_nobody_looks(ready: Ceir) -> None:
    assert ready.type("classify", "--full").stderr == ""


def test_progress_is_drawn_only_for_work_of_more_than_a_second() -> None:
    console = Console(stderr=True, force_terminal=True, width=80, record=True)
    with Drawing(console).step("Short", 10.0) as step:
        step.at(10)
    assert console.export_text() == ""
    with console.capture() as drawn, Drawing(console).step("Long", 1000.0) as step:
        step.at(500)
        time.sleep(SHOWN_AFTER_SECONDS + 0.3)
    assert "Long" in drawn.get()
    assert "500 rows" in drawn.get()


def test_progress_can_be_told_from_another_thread() -> None:
    console = Console(stderr=True, force_terminal=True, width=80)
    with console.capture(), Drawing(console).step("Threads", 10.0) as step:
        thread = threading.Thread(target=step.at, args=(5.0,))
        thread.start()
        thread.join()


def test_tables_fit_into_80_columns(ready: Ceir) -> None:
    for line in (["runs"], ["diff", 1, 2], ["ingest", "--list"], ["classify"], ["doctor"]):
        shown = ready.type(*line).stdout
        wide = [text for text in shown.splitlines() if len(text) > 80 and str(ready.workspace) not in text]
        assert wide == []
