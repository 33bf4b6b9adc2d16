"""Measures taking runs over: seconds, CPU seconds of this process and of the database, rows a second.

    tools/postgres.sh uv run python benchmarks/registry/apply_run.py [DECISIONS] [--contacts SHARE]

Without CEIR_TEST_DATABASE it runs on SQLite. One million decisions unless told; of them one of a hundred is
notified, and each of those has so many contacts that SHARE × DECISIONS rows are told. tools/postgres.sh does
not wait for the disk; with CEIR_POSTGRES_OPTIONS=' ' it does.

Measured in November 2026 on PostgreSQL 15, on two cores that others kept busy (load 10 to 16), so that only
CPU seconds count; those of the database are among them:

    decisions              100,000      1,000,000
    people to tell          10,000        100,000
    first, all new      1.7 (1.1)    16.3 (11.1)
    1 of 100 changed    0.8 (0.4)      8.8 (5.2)
    all changed         1.9 (1.5)    23.1 (19.4)
"""

import argparse
import hashlib
import json
import os
import resource
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
REASONS = ["Never allocated", "Reported stolen", "Not registered", "Too many subscribers", "Malformed"]
STEP = 37
"""Between two identities, so that they spread over TACs."""


def write_run(folder: Path, run: int, count: int, contacts: int, *, changed: int) -> None:
    """A publication; every `changed`th decision has another reason than in the run before (0: none)."""
    folder.mkdir(parents=True)
    files = []

    def put(name: str, header: str, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in (header, *lines)).encode()
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(text)
        files.append({"file": name, "rows": len(lines), "sha256": hashlib.sha256(text).hexdigest()})

    decisions, blocked, tracked, told = [], [], [], []
    for n in range(count):
        imei = f"{35_000_000_000_000 + n * STEP:014}"
        reason = REASONS[(n + (run if changed and n % changed == 0 else 0)) % 5]
        if n % 100 == 7:
            decisions.append(f"{imei},notified,20261101,20261220,{reason},c{n % 5}")
            tracked.append(f"{imei},20261101,{reason}")
            share = contacts * 100 // count + 1
            told += [
                f"{imei},11101{n:07}{k:03},22{n:07}{k:03},20261220,{reason}"
                for k in range(share)
                if len(told) + k < contacts
            ]
        else:
            decisions.append(f"{imei},blocked,20260901,20261101,{reason},c{n % 5}")
            blocked.append(f"{imei},20261101,{reason}")
    put("decisions.csv", "imei,outcome,since,block_date,reasons,conditions", decisions)
    put("blocked.csv", "imei,block_date,reasons", blocked)
    put("tracked.csv", "imei,since,reasons", tracked)
    put("operator1/notifications.csv", "imei,imsi,msisdn,block_date,reasons", told)
    manifest = {
        "format": 1,
        "country": "Examplia",
        "as_of": (date(2026, 11, 1) + timedelta(days=run)).isoformat(),
        "run": run,
        "base": {"run": run - 1} if run > 1 else None,
        "policy": {"name": "examplia", "version": 1, "sha256": "0" * 64},
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def backend_seconds() -> float:
    """CPU seconds of the database's process that serves us; of SQLite none, for it is this process."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure three runs and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("decisions", type=int, nargs="?", default=1_000_000)
    parser.add_argument(
        "--contacts", type=float, default=0.1, help="rows to tell, as a share of the decisions"
    )
    asked = parser.parse_args()
    contacts = int(asked.decisions * asked.contacts)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_keys(root / "keys")
        configure(
            RegistryOptions(
                database=os.environ.get("CEIR_TEST_DATABASE") or root / "register.sqlite3",
                secret="for measuring only " * 3,
                keys=root / "keys",
            )
        )
        from django.core.management import call_command
        from django.db import connection

        from ceir.registry.actors import SYSTEM
        from ceir.registry.runs.applying import apply

        call_command("migrate", interactive=False, verbosity=0)
        print(f"{connection.vendor}, {asked.decisions:,} decisions, {contacts:,} people to tell")
        print(f"{'':30} {'s':>7} {'CPU s':>7} {'of it database':>15} {'decisions/s':>12}")
        for run, changed, what in (
            (1, 0, "first, all new"),
            (2, 100, "1 of 100 changed"),
            (3, 1, "all changed"),
        ):
            write_run(root / str(run), run, asked.decisions, contacts, changed=changed)
            start, own, database = time.perf_counter(), time.process_time(), backend_seconds()
            applied = apply(root / str(run), actor=SYSTEM, at=NOW)
            seconds, its = time.perf_counter() - start, backend_seconds() - database
            cpu = time.process_time() - own + its
            rate = asked.decisions / seconds
            print(f"{what:30} {seconds:7.1f} {cpu:7.1f} {its:15.1f} {rate:12,.0f}")
            assert applied.run.counts["blocked"] + applied.run.counts["notified"] == asked.decisions
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"most memory of this process: {memory:.0f} MiB, the made-up lists included")


if __name__ == "__main__":
    main()
