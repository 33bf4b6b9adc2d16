"""What the installer of a register copies works: the unit, its sandbox, configuration and settings."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
from test_deploy import DEPLOY, LARGEST_EXPOSURE, ROOT, analyzed, root, settings

from ceir.cli.declaration import all_commands
from ceir.office.configuration import read_office
from ceir.settings import all_settings, read_settings

UNIT = DEPLOY / "systemd" / "ceir-register.service"
ENVIRONMENT = DEPLOY / "register.env"
CONFIGURATION = DEPLOY / "register.toml"
PAGE = ROOT / "docs" / "admin" / "installing.md"

__all__ = ("root",)


def test_systemd_finds_nothing_wrong_with_the_unit_and_would_tell_of_a_mistake(root: Path) -> None:
    unit = root / "etc" / "systemd" / "system" / UNIT.name
    shutil.copy(UNIT, unit)
    done = analyzed("verify", "--man=no", f"--root={root}", UNIT.name)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    assert "ProtectHouse" in analyzed("verify", "--man=no", f"--root={root}", UNIT.name).stderr


def test_the_sandbox_of_the_register_leaves_little_open() -> None:
    done = analyzed(
        "security", "--offline=yes", f"--threshold={LARGEST_EXPOSURE * 10:.0f}", "--no-pager", str(UNIT)
    )
    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_serves_the_register_with_the_files_that_are_installed() -> None:
    unit = settings(UNIT)
    words = shlex.split(unit["ExecStart"][0])
    assert words == ["/opt/ceir/bin/ceir", "serve", "--config", "/etc/ceir/register.toml"]
    assert "serve" in {command.name for command in all_commands()}
    page = PAGE.read_text()
    for file in (UNIT, ENVIRONMENT, CONFIGURATION):
        assert str(file.relative_to(ROOT)) in page
    assert unit["EnvironmentFile"] == ["/etc/ceir/register.env"]
    assert unit["ReadWritePaths"] == unit["WorkingDirectory"] == ["/var/lib/ceir/register"]


def test_the_example_of_a_configuration_and_of_settings_can_be_obeyed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = read_office(tomllib.loads(CONFIGURATION.read_text())["register"], CONFIGURATION)
    assert office.tls is not None
    assert float(settings(UNIT)["TimeoutStopSec"][0]) >= office.grace_seconds + 10
    known = {info.variable for info in all_settings()}
    given = dict(re.findall(r"^(\w+)=(.*)$", ENVIRONMENT.read_text(), re.MULTILINE))
    assert set(given) <= known
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read = read_settings()
    assert read.workspace == Path("/var/lib/ceir/register")
    assert read.database == given["CEIR_DATABASE"]
