"""Runs the message centre of `smsc.py` as a process, and reads what it noted."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Centre:
    """The process, and what it noted."""

    def __init__(self, log: Path, port: int) -> None:
        self.log, self.port = log, port

    def noted(self, unit: str) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [found for line in lines if (found := json.loads(line))["unit"] == unit]

    def wait(self, unit: str, count: int = 1) -> list[dict[str, Any]]:
        until = time.monotonic() + 20
        while len(found := self.noted(unit)) < count:
            assert time.monotonic() < until, f"{unit}: {found}"
            time.sleep(0.02)
        return found

    def options(self, **more: object) -> dict[str, object]:
        """To reach it, with little patience."""
        return {
            "host": "127.0.0.1", "port": self.port, "system_id": "ceir", "password": "secret",
            "source": "1234", "source_ton": 3, "answer_seconds": 1.5, "quiet_seconds": 5,
            "pause_seconds": 0.05, "per_second": 1000, **more,
        }  # fmt: skip


@contextmanager
def running_centre(folder: Path, *more: str) -> Iterator[Centre]:
    log = folder / "smsc.log"
    command = [sys.executable, str(Path(__file__).with_name("smsc.py")), str(log), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Centre(log, int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
