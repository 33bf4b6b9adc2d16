"""What may be skipped here: with CEIR_PEERS=required, nothing that installing software would cure.

A reason to skip that begins with «the platform» (its kernel, its processor, its permissions) always holds;
any other one is software that `tools/peers.sh` installs, and fails where all of it has to be there.
"""

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

REQUIRED = os.environ.get("CEIR_PEERS") == "required"


def _judge(report: pytest.CollectReport | pytest.TestReport) -> None:
    if not REQUIRED or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    if not reason.startswith("the platform"):
        report.outcome = "failed"
        report.longrepr = f"CEIR_PEERS=required, but this was skipped: {reason}"


def pytest_runtest_setup() -> None:
    if sys.platform != "linux":
        pytest.skip("the platform is not Linux, whose /proc and loopback addresses these tests use")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, pytest.CollectReport]:
    report: pytest.CollectReport = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, pytest.TestReport]:
    report: pytest.TestReport = yield
    _judge(report)
    return report
