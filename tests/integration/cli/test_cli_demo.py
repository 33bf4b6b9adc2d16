import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ceir.cli.main import whole

PROGRAM = Path(sys.executable).with_name("ceir")


def demo(*line: object, expect: int = 0) -> str:
    result = CliRunner().invoke(whole(), ["demo", "--subscribers", "600", "--months", "2", *map(str, line)])
    assert result.exit_code == expect, result.output
    return result.output


def test_the_demonstration_shows_everything_once(tmp_path: Path) -> None:
    shown = demo("--dir", tmp_path / "d")
    for words in (
        "What came in",
        "quarantined",
        "What was found: run 2, as of 2026-10-31",
        "What goes out",
        "changes since run 1",
        "What was hidden",
        "TAC never allocated",
        "One verdict, explained",
        "Try:",
    ):
        assert words in shown
    lines = [line.strip() for line in shown.splitlines()]
    tries = [line for line in lines if line.startswith("ceir --workspace")]
    assert len(tries) == 3
    for line in tries:
        result = CliRunner().invoke(whole(), shlex.split(line)[1:])
        assert result.exit_code == 0, result.output


def test_it_tells_machines_the_same(tmp_path: Path) -> None:
    told = json.loads(demo("--dir", tmp_path / "d", "--json"))
    assert told["run"]["id"] == 2
    assert told["lists"]["delta/blocked.csv"] >= 0
    assert all(kind["found"] <= kind["hidden"] for kind in told["truth"]["found"])
    assert all(f["rows"] == f["kept"] + f["folded"] + f["quarantined"] for f in told["files"])


def test_one_month_gives_one_run(tmp_path: Path) -> None:
    assert json.loads(demo("--dir", tmp_path / "d", "--months", 1, "--json"))["run"]["parent"] is None


def test_another_policy_can_be_shown(tmp_path: Path) -> None:
    shown = demo("--dir", tmp_path / "d", "--policy", "dirbs-sample")
    assert "policy dirbs-sample" in shown.replace("\n", " ")


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert "error [workspace_exists]" in demo("--dir", tmp_path, expect=1)
    assert "error [usage]" in demo("--dir", tmp_path, "--replace", expect=2)
    assert (tmp_path / "mine").exists()


def test_only_a_demonstration_is_replaced(tmp_path: Path) -> None:
    demo("--dir", tmp_path / "d", "--months", 1)
    demo("--dir", tmp_path / "d", "--months", 1, expect=1)
    demo("--dir", tmp_path / "d", "--months", 1, "--replace")


def test_an_impossible_country_is_wrong_use(tmp_path: Path) -> None:
    assert "error [country_spec]" in demo("--dir", tmp_path / "d", "--months", 99, expect=2)
    assert not (tmp_path / "d").exists()


@pytest.mark.slow
def test_an_interrupted_demonstration_says_what_it_leaves(tmp_path: Path) -> None:
    line = [PROGRAM, "demo", "--subscribers", "400000", "--dir", tmp_path / "d"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("d/files/observations/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "error [interrupted]" in err
    assert "--replace" in err
