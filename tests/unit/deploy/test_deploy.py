"""What operators copy works: the unit, its sandbox, the example configuration and the alarms."""

import re
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from ceir.cli.declaration import all_commands
from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.interfaces.serving.configuration import read_configuration
from ceir.interfaces.serving.http import HttpLimits
from ceir.interfaces.serving.metrics import MetricsBoard
from ceir.interfaces.serving.workers import Care

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "ceir-serve.service"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
PAGE = ROOT / "docs" / "operating-the-equipment-check.md"

LARGEST_EXPOSURE = 1.5
"""Of 10, as `systemd-analyze security` counts; 1.2 when it was written, for sockets and the network."""


def settings(file: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The few files of a system that a unit is verified against."""
    units = tmp_path / "etc" / "systemd" / "system"
    (tmp_path / "opt" / "ceir" / "bin").mkdir(parents=True)
    units.mkdir(parents=True)
    command = tmp_path / "opt" / "ceir" / "bin" / "ceir"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    shutil.copy(UNIT, units)
    for name in ("network-online", "multi-user", "sysinit", "basic", "shutdown", "local-fs", "system"):
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n")
    (tmp_path / "etc" / "passwd").write_text("ceir:x:900:900::/:/bin/false\n")
    (tmp_path / "etc" / "group").write_text("ceir:x:900:\n")
    return tmp_path


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    done = subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )
    if "unrecognized option" in done.stderr:
        pytest.skip(f"this systemd is too old: {done.stderr.strip()}")
    return done


def verified(root: Path) -> subprocess.CompletedProcess[str]:
    return analyzed("verify", "--man=no", f"--root={root}", "ceir-serve.service")


def test_systemd_finds_nothing_wrong_with_the_unit(root: Path) -> None:
    done = verified(root)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_would_tell_of_a_mistake_in_the_unit(root: Path) -> None:
    unit = root / "etc" / "systemd" / "system" / UNIT.name
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in verified(root).stderr
    (root / "opt" / "ceir" / "bin" / "ceir").unlink()
    assert verified(root).returncode != 0


def test_the_sandbox_leaves_little_open() -> None:
    done = analyzed(
        "security", "--offline=yes", f"--threshold={LARGEST_EXPOSURE * 10:.0f}", "--no-pager", str(UNIT)
    )
    assert done.returncode == 0, done.stdout[-300:]


def test_low_ports_cost_one_capability_and_no_other() -> None:
    low = settings(DEPLOY / "systemd" / "low-ports.conf")
    assert low["CapabilityBoundingSet"] == low["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"]
    assert settings(UNIT)["CapabilityBoundingSet"] == [""]


def test_the_unit_runs_a_command_that_exists() -> None:
    words = shlex.split(settings(UNIT)["ExecStart"][0])
    assert words[0] == "/opt/ceir/bin/ceir"
    assert words[1] in {command.name for command in all_commands()}
    assert words[2:] == ["all", "--config", "/etc/ceir/serve.toml"]


def test_systemd_waits_longer_for_the_end_than_the_server_takes() -> None:
    unit = settings(UNIT)
    assert float(unit["TimeoutStopSec"][0]) >= Care().grace + 10
    assert unit["KillSignal"] == ["SIGTERM"]


def test_descriptors_are_enough_for_all_connections_of_a_worker() -> None:
    interfaces = 4
    assert int(settings(UNIT)["LimitNOFILE"][0]) >= interfaces * HttpLimits().connections * 2


def test_folders_of_the_unit_are_those_that_are_made_and_configured() -> None:
    made = {
        line.split()[1]: line.split()[2:5]
        for line in (DEPLOY / "systemd" / "ceir.tmpfiles.conf").read_text().splitlines()
        if line.startswith("d ")
    }
    unit = settings(UNIT)
    assert made[unit["ReadWritePaths"][0].lstrip("-")] == ["0700", "ceir", "ceir"]
    assert {path.lstrip("-") for path in unit["ReadOnlyPaths"][0].split()} <= set(made)
    serving = read_configuration(DEPLOY / "serve.toml", ["all"]).serving
    assert str(serving.sightings.folder) == unit["ReadWritePaths"][0].lstrip("-")
    assert str(serving.snapshots) in made
    assert str(serving.trusted_keys) in made
    assert unit["User"] == ["ceir"]
    assert "u ceir " in (DEPLOY / "systemd" / "ceir.sysusers.conf").read_text()


def test_the_example_configuration_serves_5g_4g_and_2g_3g() -> None:
    configuration = read_configuration(DEPLOY / "serve.toml", ["all"])
    assert list(configuration.interfaces) == ["map", "n17", "s13"]
    assert {str(address) for _, address in configuration.addresses} >= {"sctp:192.0.2.10:3868"}


# --- alarms


def told_metrics(folder: Path) -> dict[str, set[str]]:
    """Every sample that a server can tell, with the names of its labels."""
    board = MetricsBoard(folder / "board", 1, ["n17"])
    board.observer(0, "n17")(Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY), 0.001, Question(1))
    board.refused(0, "n17")(404)
    board.snapshot_in_force(0, 1, int(time.time()), int(time.time()))
    return {
        sample.name: set(sample.labels) for metric in board.metrics(time.time()) for sample in metric.samples
    }


def rules() -> list[dict[str, object]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alarms_ask_for_metrics_and_labels_that_the_server_tells(tmp_path: Path) -> None:
    told = told_metrics(tmp_path)
    asked = 0
    for rule in rules():
        expression = str(rule["expr"])
        for name, labels in re.findall(r"\b(ceir_\w+)(?:\{([^}]*)\})?", expression):
            assert name in told, f"{rule['alert']}: {name}"
            named = set(re.findall(r"(\w+)=", labels)) - {"job"}
            assert named <= told[name], f"{rule['alert']}: {named}"
            asked += 1
        grouped = {label for group in re.findall(r"by\(([^)]*)\)", expression) for label in group.split(", ")}
        assert grouped <= {"instance", "interface", "le"}, rule["alert"]
    assert asked > 15


def test_every_alarm_and_every_metric_is_explained_to_operators(tmp_path: Path) -> None:
    page = PAGE.read_text()
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in page] == []
    names = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in told_metrics(tmp_path)}
    assert [name for name in names if f"`{name}`" not in page] == []


@pytest.mark.parametrize("words", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
def test_prometheus_takes_the_alarms_and_fires_them_when_it_should(words: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        ["promtool", *words], cwd=ALERTS.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
