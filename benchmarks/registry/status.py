"""Measures the status look-up over the API: latency at a steady rate, and of batches of a thousand.

    just bench-register [--devices N] [--cases N] [--rate N] [--seconds N] [--out FILE] [--explain]

A register is made up in PostgreSQL, served by a real granian process, and asked at a constant rate over
connections that stay open. A latency counts from the moment at which the call was due, not from when it was
sent: a server that stands still is charged for all that waits. Server, database and caller share the machine.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from filling import FIRST, STEP, fill
from register_app import options

HERE = Path(__file__).parent
CONNECTIONS = 32


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=10_000_000)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=500, help="calls a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--explain", action="store_true", help="show how the database answers")
    asked = parser.parse_args()
    if "CEIR_TEST_DATABASE" not in os.environ:
        sys.exit("Run it with tools/postgres.sh in front.")
    with tempfile.TemporaryDirectory() as name:
        os.environ["CEIR_BENCH_DATABASE"] = os.environ["CEIR_TEST_DATABASE"]
        os.environ["CEIR_BENCH_KEYS"] = str(Path(name) / "keys")
        figures = measure(asked)
    print(json.dumps(figures, indent=1))
    if asked.out:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(figures, indent=1) + "\n")


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    from ceir.registry.personal.keys import make_keys
    from ceir.registry.project.configuring import configure

    make_keys(Path(os.environ["CEIR_BENCH_KEYS"]))
    configure(options())
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    started = time.perf_counter()
    fill(asked.devices, asked.cases)
    filled = time.perf_counter() - started
    print(f"made up in {filled:.0f} s", file=sys.stderr)
    tokens = make_tokens()
    if asked.explain:
        explain(asked.devices)
    port = free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--log-level", "error"),
            *("--host", "127.0.0.1", "--port", str(port), "--backlog", "1024"),
            *("--workers", str(asked.workers), "--blocking-threads", "1", "register_app:application"),
        ],
        cwd=HERE,
    )  # fmt: skip
    try:
        wait_for(port)
        draw = random.Random(7)
        paths = [one_path(draw, asked.devices, asked.cases) for _ in range(asked.rate * asked.seconds)]
        who = [tokens[draw.choices(range(3), (5, 4, 1))[0]] for _ in paths]
        warm = min(len(paths), asked.rate * 3)
        asyncio.run(ask_steadily(port, paths[:warm], who[:warm], asked.rate))
        before = cpu_of_children()
        began = time.perf_counter()
        steady = asyncio.run(ask_steadily(port, paths, who, asked.rate))
        lasted = time.perf_counter() - began
        server_cpu = cpu_of_children() - before
        batches = asyncio.run(ask_batches(port, draw, asked.devices, tokens[1], asked.batches))
    finally:
        server.terminate()
        server.wait(30)
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "devices": asked.devices,
        "cases": asked.cases,
        "filled_s": round(filled, 1),
        "workers": asked.workers,
        "rate": asked.rate,
        "reached_rate": round(len(steady) / lasted, 1),
        "status_ms": of(steady),
        "batch_1000_ms": of(batches),
        "cpu_s_caller": round(own.ru_utime + own.ru_stime, 1),
        "cpu_ms_server_a_status": round(server_cpu * 1000 / len(steady), 2),
        "cpu_s_server": round(server_cpu, 1),
    }


def of(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "p50": round(statistics.median(ordered) * 1000, 2),
        "p95": round(ordered[int(len(ordered) * 0.95)] * 1000, 2),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
        "max": round(ordered[-1] * 1000, 2),
    }


def one_path(draw: random.Random, devices: int, cases: int) -> str:
    """A registered device, one with a decision, one with a case, or one that nobody knows."""
    kind = draw.random()
    if kind < 0.6:
        number = FIRST + draw.randrange(1, devices) * STEP
    elif kind < 0.75:
        number = FIRST + draw.randrange(1, devices // 20) * 20 * STEP
    elif kind < 0.9:
        number = FIRST + draw.randrange(1, cases) * STEP * 7
    else:
        number = draw.randrange(10**13, 10**14)
    return f"/api/v1/status/{number:014}"


async def ask_steadily(port: int, paths: list[str], who: list[str], rate: int) -> list[float]:
    waiting: asyncio.Queue[tuple[float, str, str] | None] = asyncio.Queue()
    taken: list[float] = []
    loop = asyncio.get_running_loop()

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (work := await waiting.get()) is not None:
            due, path, token = work
            writer.write(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            status, _ = await answer(reader)
            assert status == 200, status
            taken.append(loop.time() - due)
        writer.close()

    connections = [asyncio.create_task(one_connection()) for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.2)
    begun = loop.time()
    for place, (path, token) in enumerate(zip(paths, who, strict=True)):
        due = begun + place / rate
        if (early := due - loop.time()) > 0:
            await asyncio.sleep(early)
        waiting.put_nowait((due, path, token))
    for _ in connections:
        waiting.put_nowait(None)
    await asyncio.gather(*connections)
    return taken


async def ask_batches(port: int, draw: random.Random, devices: int, token: str, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = []
    for _ in range(count):
        imeis = [f"{FIRST + draw.randrange(1, devices) * STEP:014}" for _ in range(1000)]
        body = json.dumps({"imeis": imeis}).encode()
        begun = time.perf_counter()
        writer.write(
            f"POST /api/v1/status/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        status, text = await answer(reader)
        taken.append(time.perf_counter() - begun)
        assert status == 200
        assert len(json.loads(text)["results"]) == 1000
    writer.close()
    return taken


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return status, await reader.readexactly(length)


def make_tokens() -> list[str]:
    """Of a consumer's program, an operator's and an officer's."""
    from datetime import UTC, datetime, timedelta

    from ceir.api import tokens
    from ceir.registry.accounts.models import Client
    from ceir.registry.organisations.models import Organisation

    # Good for longer than a token is: measuring does not stop to ask for another.
    tokens.LIFETIME = timedelta(hours=6)
    made = []
    now = datetime.now(UTC)
    for role, of_kind in (("consumer", "public"), ("operator", "operator"), ("officer", "regulator")):
        organisation, _ = Organisation.objects.get_or_create(
            code=f"bench-{role}", defaults={"kind": of_kind, "name": role, "created_at": now}
        )
        client = Client.objects.create(
            name=role, identifier=role, organisation=organisation, role=role,
            scopes=["status.read"], created_at=now,
        )  # fmt: skip
        made.append(tokens.issue(client, [], now)[0])
    return made


def explain(devices: int) -> None:
    from datetime import UTC, datetime

    from django.db import connection

    from ceir.registry.actors import Actor
    from ceir.registry.status import asking

    class Shown:
        def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                print("\n".join(row[0][:200] for row in cursor.fetchall()), file=sys.stderr)
            return execute(sql, params, many, context)

    actor = Actor("client:1", "operator", 901)
    for count in (1, 1000):
        keys = [FIRST + n * 20 * STEP for n in range(1, min(count, devices // 20) + 1)]
        with connection.execute_wrapper(Shown()):
            list(asking.facts(keys, actor=actor, at=datetime.now(UTC)))


def cpu_of_children() -> float:
    """CPU seconds of all processes called granian or python that are children of this one."""
    total = 0
    mine = str(os.getpid())
    parents = {mine}
    for _ in range(3):
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if fields[1] in parents:
                    parents.add(entry.name)
    for pid in parents - {mine}:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server does not answer")


if __name__ == "__main__":
    main()
