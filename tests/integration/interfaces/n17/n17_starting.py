"""Starting servers for the tests of this directory."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
SHARED = HERE.parents[2]


class TlsFiles(NamedTuple):
    """Where PEM files are."""

    authority: Path
    certificate: Path
    key: Path


class Served:
    """A running server: its port and its process."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(800):
        assert process.poll() is None, "the server ended before it listened"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


@contextmanager
def running(*options: str | Path, script: str = "n17_process.py") -> Iterator[Served]:
    port = free_port()
    command = [sys.executable, str(HERE / script), str(port), *map(str, options)]
    environment = {"PYTHONPATH": f"{SHARED}:{SHARED.parent / 'src'}", "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, env=environment) as process:
        try:
            wait_until_open(port, process)
            yield Served(port, process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            finally:
                process.kill()


Serve = Callable[..., Served]


def program_at(name: str) -> str:
    """Where a program is; skips the test when it is not installed."""
    places = (None, str(Path.home() / "go" / "bin"), "/usr/local/go/bin")
    for found in (shutil.which(name, path=place) for place in places):
        if found is not None:
            return found
    pytest.skip(f"{name} is not installed")
