"""Runs `ceir serve` as operators do, in processes of its own, on snapshots that tests make."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check.keys import key_id, write_public_key
from ceir.equipment_check.snapshot import Header
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from vectors import content

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
START = 90


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def today() -> datetime:
    return datetime.now(UTC)


def write_snapshot(
    path: Path, sequence: int, of: SnapshotContent | None = None, *, days: float = 10, **said: object
) -> Path:
    """A snapshot of the shared vectors, or of other content, that expires in so many days."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields: dict[str, object] = {
        "country": "Examplia",
        "sequence": sequence,
        "as_of": (today() - timedelta(days=1)).date().isoformat(),
        "expires_at": (today() + timedelta(days=days)).isoformat(),
        "operator": "",
        "otherwise": "unknown",
        "malformed": "unknown",
        "override": None,
        "key_id": key_id(KEY.public_key()),
        "counts": {},
    }
    fresh = path.with_name(f".{path.name}")
    build_snapshot(of or content(), Header(**(fields | said)), KEY, fresh)  # type: ignore[arg-type]
    fresh.rename(path)
    return path


@dataclass
class Plant:
    """A running `ceir serve`."""

    process: subprocess.Popen[str]
    ports: Mapping[str, int]
    folder: Path
    told: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def log(self) -> list[dict[str, Any]]:
        """What it told so far, a line of JSON each."""
        lines = self.told.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for(self, event: str, count: int = 1, seconds: float = START, **fields: object) -> None:
        """Wait until it told an event so often."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [e for e in self.log() if e["event"] == event and fields.items() <= e.items()]
            if len(found) >= count:
                return
            assert self.process.poll() is None, self.told.read_text(encoding="utf-8")
            time.sleep(0.05)
        raise AssertionError(f"{event} {fields} was not told: {self.told.read_text(encoding='utf-8')}")

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [
            int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]

    def metrics(self) -> dict[str, float]:
        """Every sample by name and labels as Prometheus reads them."""
        text = httpx.get(f"http://127.0.0.1:{self.ports['admin']}/metrics", timeout=10).text
        return {
            line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines()
            if not line.startswith("#")
        }

    def ready(self) -> tuple[int, str]:
        """What /readyz answers."""
        answer = httpx.get(f"http://127.0.0.1:{self.ports['admin']}/readyz", timeout=10)
        return answer.status_code, answer.text.strip()

    def stop(self) -> int:
        """End it in good order. Returns: the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def plant(folder: Path, names: str = "all", workers: int = 1, toml: str = "") -> Iterator[Plant]:
    """A server of the snapshots in `folder / "snapshots"`.

    Args:
        toml: more keys of the configuration, before its tables.
    """
    write_public_key(KEY.public_key(), folder / "trusted")
    ports = {name: free_port() for name in ("n17", "s13", "map", "gsup", "admin")}
    configuration = folder / "serve.toml"
    configuration.write_text(
        f"""
snapshots = "{folder / "snapshots"}"
trusted_keys = "{folder / "trusted"}"
workers = {workers}
look_seconds = 0.2
{toml}
[administration]
port = {ports["admin"]}
[n17]
port = {ports["n17"]}
[s13]
listen = [{{ port = {ports["s13"]} }}]
[map]
listen = [{{ port = {ports["map"]}, transport = "tcp" }}]
[gsup]
port = {ports["gsup"]}
"""
    )
    told = folder / "told.txt"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CEIR_")}
    with told.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", "from ceir.cli.main import run; run()", "serve", *names.split(),
             "--config", str(configuration)],
            stdout=out, stderr=subprocess.STDOUT, text=True, env=environment, cwd=folder,
        )  # fmt: skip
    running = Plant(process, ports, folder, told)
    try:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            assert process.poll() is None, told.read_text()
            try:
                if running.ready() == (200, "ready"):
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        else:
            raise AssertionError(f"not ready: {told.read_text()}")
        yield running
    finally:
        if process.poll() is None:
            running.stop()
