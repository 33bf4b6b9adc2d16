"""`ceir serve` in processes of its own, as operators run it, on one core."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from identities import KEY
from machine import SERVER_CORE, processor_seconds

from ceir.equipment_check.keys import write_public_key

LOOK_SECONDS = 0.2
"""How often workers look for new files here; long enough not to show in what is measured."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Plant:
    """A running server."""

    process: subprocess.Popen[bytes]
    ports: Mapping[str, int]
    told: Path

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        found = []
        for child in children:
            with contextlib.suppress(OSError):  # it has just ended
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
        return found

    def processor_seconds(self) -> float:
        """What the workers took so far."""
        return sum(map(processor_seconds, self.workers()))

    def sequences(self) -> list[int]:
        """What is in force in each worker."""
        lines = self._page("metrics").splitlines()
        return [int(float(line.split()[1])) for line in lines if line.startswith("ceir_snapshot_sequence{")]

    def is_ready(self) -> bool:
        try:
            return self._page("readyz").strip() == "ready"
        except (OSError, urllib.error.HTTPError):
            return False

    def wait_until(self, sequence: int, seconds: float = 60) -> None:
        """Until all workers have put it in force."""
        self._wait(lambda: set(self.sequences()) == {sequence}, seconds)

    def wait_ready(self, seconds: float = 60) -> None:
        self._wait(self.is_ready, seconds)

    def _wait(self, done: object, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not done():  # type: ignore[operator]
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server is not what it should be:\n{self.told.read_text()[-3000:]}")
            time.sleep(0.05)

    def _page(self, name: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/{name}", timeout=10) as page:
            text: str = page.read().decode()
            return text


@contextmanager
def plant(folder: Path, *interfaces: str, workers: int = 1) -> Iterator[Plant]:
    """A server of the snapshots in `folder / "snapshots"`."""
    write_public_key(KEY.public_key(), folder / "trusted")
    ports = {name: free_port() for name in ("n17", "s13", "map", "admin")}
    configuration = folder / "serve.toml"
    configuration.write_text(
        f"""
snapshots = {json.dumps(str(folder / "snapshots"))}
trusted_keys = {json.dumps(str(folder / "trusted"))}
workers = {workers}
look_seconds = {LOOK_SECONDS}
[administration]
port = {ports["admin"]}
[n17]
port = {ports["n17"]}
[s13]
listen = [{{ port = {ports["s13"]} }}]
[map]
listen = [{{ port = {ports["map"]}, transport = "tcp" }}]
"""
    )
    told = folder / "told.txt"
    with told.open("w") as out:
        process = subprocess.Popen(
            [
                # The core goes to workers, too, whenever they are started.
                *("taskset", "-c", str(SERVER_CORE)),
                *(sys.executable, "-c", "from ceir.cli.main import run; run()"),
                *("serve", *interfaces, "--config", str(configuration)),
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    running = Plant(process, ports, told)
    try:
        running.wait_ready()
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
