"""CPU of one status look-up, without sockets: what Python spends on a call, and what the database does.

    tools/postgres.sh python benchmarks/registry/request_cpu.py [--devices N] [--calls N] [--batches N]
        [--profile] [--keep]

Wall time on a machine that others use says little; CPU seconds say what a call costs. The whole application
is called as a server calls it (WSGI), in one thread: the difference of two runs is the change between them.
"""

import argparse
import cProfile
import io
import json
import os
import pstats
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filling import FIRST, STEP, fill
from register_app import options
from status import make_tokens, one_path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=200_000)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many is told")
    parser.add_argument("--profile", action="store_true", help="show where Python spends it")
    parser.add_argument("--keep", action="store_true", help="the register is filled already")
    asked = parser.parse_args()
    if "CEIR_TEST_DATABASE" not in os.environ:
        sys.exit("Run it with tools/postgres.sh in front.")
    with tempfile.TemporaryDirectory() as name:
        os.environ["CEIR_BENCH_DATABASE"] = os.environ["CEIR_TEST_DATABASE"]
        os.environ["CEIR_BENCH_KEYS"] = str(Path(name) / "keys")
        print(json.dumps(measure(asked), indent=1))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    from ceir.registry.personal.keys import make_keys
    from ceir.registry.project.configuring import configure

    make_keys(Path(os.environ["CEIR_BENCH_KEYS"]))
    configure(options())
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from django.core.wsgi import get_wsgi_application

    from ceir.registry.accounts.models import Client

    application = get_wsgi_application()

    def ask(method: str, path: str, token: str, body: bytes = b"") -> int:
        return called(application, method, path, token, body)

    if asked.keep and Client.objects.filter(identifier="operator").exists():
        tokens = [again(role) for role in ("consumer", "operator", "officer")]
    else:
        fill(asked.devices, asked.cases)
        tokens = make_tokens()
    draw = random.Random(7)
    paths = [one_path(draw, asked.devices, asked.cases) for _ in range(asked.calls)]
    who = [tokens[draw.choices(range(3), (5, 4, 1))[0]] for _ in paths]
    singles = list(zip(paths, who, strict=True))
    bodies = [
        json.dumps(
            {"imeis": [f"{FIRST + draw.randrange(1, asked.devices) * STEP:014}" for _ in range(1000)]}
        ).encode()
        for _ in range(asked.batches)
    ]

    def one() -> None:
        for path, token in singles:
            assert ask("GET", path, token) == 200

    def many() -> None:
        for body in bodies:
            assert ask("POST", "/api/v1/status/batch", tokens[1], body) == 200

    for path, token in singles[:200]:
        assert ask("GET", path, token) == 200
    found = {
        "load": round(os.getloadavg()[0], 1),
        "status": least(one, asked.rounds, asked.calls),
        "batch_1000": least(many, asked.rounds, asked.batches),
    }
    if asked.profile:
        profiled(one)
        profiled(many)
    return found


def again(role: str) -> str:
    from datetime import UTC, datetime, timedelta

    from ceir.api import tokens
    from ceir.registry.accounts.models import Client

    tokens.LIFETIME = timedelta(hours=6)
    return tokens.issue(Client.objects.get(identifier=role), [], datetime.now(UTC))[0]


def called(application: Any, method: str, path: str, token: str, body: bytes) -> int:
    """As granian hands a call to the application."""
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    if body:
        environ |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body))}
    said: list[str] = []
    response = application(environ, lambda status, *_: said.append(status))
    b"".join(response)
    response.close()
    return int(said[0][:3])


def least(work: Callable[[], None], rounds: int, calls: int) -> dict[str, float]:
    taken = []
    for _ in range(rounds):
        before, database = time.process_time(), cpu_of_database()
        work()
        taken.append((time.process_time() - before, cpu_of_database() - database))
    python, database = min(taken)
    return {
        "python_ms": round(python * 1000 / calls, 3),
        "database_ms": round(database * 1000 / calls, 3),
    }


def cpu_of_database() -> float:
    """CPU seconds of the process of PostgreSQL that answers us; the clock ticks 100 times a second."""
    from django.db import connection

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def profiled(work: Callable[[], None]) -> None:
    profile = cProfile.Profile(time.process_time)
    profile.runcall(work)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("cumtime").print_stats(60)


if __name__ == "__main__":
    main()
