"""Offices at work for tests: `ceir serve` as people start it, with a database of its own."""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from ceir.office.lineage import end_with_parent

HERE = Path(__file__).parent
START_SECONDS = 240


in_sqlite = pytest.mark.skipif(
    "CEIR_TEST_DATABASE" in os.environ, reason="its register lies in SQLite whatever the others use"
)


def free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@contextmanager
def own_database(name: str, template: str = "template1") -> Iterator[dict[str, str]]:
    """Settings of a register's database that nothing else uses: empty for SQLite."""
    address = os.environ.get("CEIR_TEST_DATABASE")
    if address is None:
        yield {}
        return
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield {"CEIR_DATABASE": urlsplit(address)._replace(path=f"/{name}").geturl()}
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("CEIR_", "DJANGO_", "PYTEST_"))}
    paths = [str(HERE.parents[1] / "src"), str(HERE)]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), **more}


def ceir(
    *line: str, settings: Mapping[str, str], folder: Path, told: str = "", code: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """A command line, as it is typed; `code` is what it must end with, None: anything."""
    done = subprocess.run(
        [sys.executable, "-c", "from ceir.cli.main import run; run()", *line],
        check=False, cwd=folder, env=environment(settings), input=told, text=True, capture_output=True,
        timeout=600,
    )  # fmt: skip
    assert code is None or done.returncode == code, (line, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def ready_country(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Settings of a register that `ceir init` and `ceir migrate` made in `folder / "here"`.

    They make one a process, and this is a copy: making each anew would take most of the time of such tests.
    """
    made, template = _first_country()
    shutil.copytree(made, folder / "here")
    with own_database(name, template) as settings:
        yield settings


@cache
def _first_country() -> tuple[Path, str]:
    folder, name = Path(tempfile.mkdtemp(prefix="ceir-country-")), f"ceir_first_{os.getpid()}"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = ExitStack()
    settings = database.enter_context(own_database(name))
    atexit.register(database.close)
    ceir("init", "here", settings=settings, folder=folder)
    ceir("migrate", settings=settings, folder=folder / "here")
    return folder / "here", name


def wait_for(what: Callable[[], object], why: str, seconds: float = START_SECONDS) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"waited {seconds} seconds until {why}"
        time.sleep(0.05)


class Office:
    """`ceir serve` at work."""

    def __init__(self, folder: Path, settings: Mapping[str, str], more: str = "", *words: str) -> None:
        self.folder, self.settings = folder, settings
        self.port, self.admin = free_port(), free_port()
        self.config = folder / "serve.toml"
        self.config.write_text(
            f"{more}\n[register]\nport = {self.port}\ngrace_seconds = 20\n"
            f"[register.administration]\nport = {self.admin}\n"
        )
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from ceir.cli.main import run; run()", "serve", *words,
                 "--config", str(self.config)],
                cwd=folder, env=environment(settings), stdout=log, stderr=log,
                preexec_fn=end_with_parent(),  # noqa: PLW1509 - it starts no threads
            )  # fmt: skip
        try:
            self.wait_ready()
        except BaseException:
            self.end()
            raise

    def wait_ready(self) -> None:
        try:
            wait_for(self.is_ready, "it is ready")
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.text()[-6000:]}") from late

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.admin}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=30)

    def metric(self, name: str) -> float:
        """A metric's value, by its name with labels as Prometheus writes them; 0: it is not there yet."""
        text = httpx.get(f"http://127.0.0.1:{self.admin}/metrics").text
        return next(
            (float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name)), 0.0
        )

    def text(self) -> str:
        return self.log.read_text()

    def events(self, event: str) -> list[dict[str, Any]]:
        lines = (json.loads(line) for line in self.text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == event]

    def child(self, name: str) -> int:
        """The number of a process, as it was started last."""
        return int([e["child_id"] for e in self.events("process_started") if e["child"] == name][-1])

    def family(self) -> list[int]:
        """Every process of the tree but the first."""
        found = subprocess.run(["ps", "-eo", "pid,ppid"], text=True, capture_output=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in found.splitlines()[1:]]
        tree = {self.process.pid}
        for _ in range(4):
            tree |= {pid for pid, parent in pairs if parent in tree}
        return sorted(tree - {self.process.pid})

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
