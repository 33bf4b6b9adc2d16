"""What a consignment's list costs: taking it in, checking it, releasing it, writing it for the pipeline.

Usage: imports.py [rows] on SQLite; tools/postgres.sh python imports.py [rows] on PostgreSQL.
CPU seconds are those of this process and of its database process; the file is made while it is read, and what
making it costs is taken off.

Measured in November 2026 on two cores that others kept busy (load 8 to 11), so that only CPU seconds
count; those of the database process stand behind the plus. IMEIs of ten models, in no order:

    rows                    SQLite 1 M   10 M       PostgreSQL 15 1 M    10 M
    submit                  3.5          49.3       2.4 + 1.9            24.1 + 19.2
    check                   0.9          7.5        0.6 + 1.0            5.3 + 4.8
    export                  1.8          17.5       1.5 + 4.2            16.1 + 5.3
    rows a CPU second       289,000      203,000    238,000              231,000
    bytes a row             18           18         88, 44 of them key   84, 40 of them key
    memory grown, MB        7            3          7                    3

Tried before with 1 M rows on PostgreSQL: key (consignment, IMEI) and an index on the IMEI took 118 bytes a
row and 8.8 s of CPU; key (IMEI, consignment) with an index on the consignment 90 and 5.5. The counts by TAC
make the key alone enough. On SQLite the first took 53 bytes a row; now the table is the tree of its key.
"""

import io
import json
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Made(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        octets, self._rest = self._rest[:size], self._rest[size:]
        return octets


def pieces(rows: int, tacs: int = 10) -> Iterator[bytes]:
    """15-digit IMEIs of some models in no order, in pieces of 5,000 lines."""
    from ceir.identifiers import luhn

    sums = [-int(luhn.check_digit(f"{n:04}")) % 10 for n in range(10_000)]
    each = rows // tacs
    step = 611_953  # no factor of a million: every serial number once
    for tac in range(tacs):
        head = 35_675_900 + tac
        head_sum = sums[head // 10_000] + sums[head % 10_000]
        for start in range(0, each, 5000):
            lines = []
            for n in range(start, min(start + 5000, each)):
                serial = n * step % 1_000_000
                check = -(head_sum + sums[serial // 100] + sums[serial % 100]) % 10
                lines.append(b"%d%06d%d\n" % (head, serial, check))
            yield b"".join(lines)


class Cost:
    """CPU seconds of this process and of the database's, and wall time."""

    def __init__(self, server: int | None) -> None:
        self._server = server
        self.figures: dict[str, Any] = {}

    def _now(self) -> tuple[float, float, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        server = 0.0
        if self._server is not None:
            fields = Path(f"/proc/{self._server}/stat").read_text().rsplit(")", 1)[1].split()
            server = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return used.ru_utime + used.ru_stime, server, time.perf_counter()

    def of(self, name: str, deed: Any, less: float = 0.0) -> Any:
        before = self._now()
        result = deed()
        own, server, wall = (b - a for a, b in zip(before, self._now(), strict=True))
        self.figures[name] = {
            "cpu_s": round(own - less, 2),
            "server_cpu_s": round(server, 2),
            "wall_s": round(wall, 2),
        }
        return result


def main(rows: int, folder: Path) -> None:
    make_keys(folder / "keys")
    database = os.environ.get("CEIR_TEST_DATABASE") or folder / "register.sqlite3"
    configure(RegistryOptions(database=database, secret="for measuring " * 3, keys=folder / "keys"))
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from ceir.identifiers import Imei
    from ceir.registry.actors import SYSTEM, Actor, OrganisationKind, Role
    from ceir.registry.imports.checking import Checks, check
    from ceir.registry.imports.exporting import rows as exported
    from ceir.registry.imports.licences import grant
    from ceir.registry.imports.looking_up import look_up
    from ceir.registry.imports.receiving import Declaration, submit
    from ceir.registry.imports.releasing import release
    from ceir.registry.organisations.models import Organisation

    importer = Organisation.objects.create(
        kind=OrganisationKind.IMPORTER.value, name="Acme", code="acme", created_at=NOW
    )
    officer, customs = Actor("account:1", Role.OFFICER.value), Actor("account:2", Role.CUSTOMS.value)
    grant(importer, "L-1", date(2026, 1, 1), None, 2_000_000_000, actor=officer, at=NOW)
    server = None
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            server = cursor.fetchone()[0]
    cost = Cost(server)
    begun = time.process_time()
    size = sum(len(piece) for piece in pieces(rows))
    making = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    said = Declaration(importer, "C-1", rows, "Port Examplia")
    whose = Actor("account:3", Role.IMPORTER.value, importer.pk)
    one = cost.of("submit", lambda: submit(said, Made(pieces(rows)), actor=whose, at=NOW), making)  # type: ignore[arg-type]
    assert one.rows == rows, (one.rows, one.rejected)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory

    def nothing(*_: object) -> set[Any]:
        return set()

    every = Checks(
        allocated=lambda tacs, _: tacs,
        approved=lambda tacs, _: tacs,
        seen=nothing,
        registered=nothing,
        stolen=nothing,
    )
    cost.of("check", lambda: check(one.pk, every, actor=SYSTEM, at=NOW))
    cost.of("release", lambda: release(one.pk, actor=customs, at=NOW))
    assert cost.of("export", lambda: sum(1 for _ in exported(NOW))) == rows
    choose = random.Random(1)
    took = []
    for _ in range(1000):
        imei = Imei.from_number(choose.randrange(35_675_900_000_000, 35_675_910_000_000))
        start = time.perf_counter()
        look_up(imei, actor=customs, basis="inspection", at=NOW + timedelta(days=1), most_a_day=2000)
        took.append(time.perf_counter() - start)
    took.sort()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE imports_sealedimei")
            cursor.execute(
                "SELECT pg_table_size('imports_sealedimei'), pg_indexes_size('imports_sealedimei')"
            )
            table, index = cursor.fetchone()
        else:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            table, index = (folder / "register.sqlite3").stat().st_size, 0
    print(
        json.dumps(
            {
                "database": connection.vendor,
                "rows": rows,
                "file_mb": round(size / 1e6, 1),
                "making_cpu_s": round(making, 2),
                **cost.figures,
                "rows_a_cpu_second": round(
                    rows / (cost.figures["submit"]["cpu_s"] + cost.figures["submit"]["server_cpu_s"])
                ),
                "memory_grown_mb": round(grown / 1024, 1),
                "bytes_a_row": round((table + index) / rows, 1),
                "of_which_index": round(index / rows, 1),
                "look_up_ms": {"median": round(took[500] * 1e3, 2), "p99": round(took[990] * 1e3, 2)},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="ceir-imports-") as made:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, Path(made))
