"""A sender that is killed at any moment leaves no notice sent twice, and none without an outcome."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from drawn import counted_draw
from message_centre import Centre, running_centre
from notices_world import TERMS, Country, noon
from registry_publications import imeis

from ceir.registry.actors import SYSTEM
from ceir.registry.notices.planning import plan_notices

pytestmark = pytest.mark.django_db(transaction=True)

SENDER = Path(__file__).parents[1] / "notices_sender.py"
COUNT = 48
KILLS = 3
FILE = """
name = "Regulator"
short_code = "*123#"
tries = 3

[quiet]
begin = 21:00:00
end = 08:00:00
zone = "Africa/Nairobi"

[[gateways]]
name = "smsc"
kind = "smpp"

[gateways.options]
host = "127.0.0.1"
port = {port}
system_id = "ceir"
password_file = "password"
source = "1234"
source_ton = 3
answer_seconds = 10
pause_seconds = 0.05
per_second = 40
"""


def shared(folder: Path) -> str:
    """The database of this test where other processes reach it: SQLite's lies in memory and is copied."""
    if connection.vendor == "postgresql":
        address, _, _ = os.environ["CEIR_TEST_DATABASE"].rpartition("/")
        return f"{address}/{connection.settings_dict['NAME']}"
    file = folder / "shared.sqlite3"
    connection.ensure_connection()
    with sqlite3.connect(file) as copy:
        connection.connection.backup(copy)
    copy.close()
    return str(file)


def sender(database: str, file: Path, at: datetime, what: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(SENDER), database, str(settings.CEIR_KEYS), str(file), at.isoformat(), what],
        stdout=subprocess.PIPE,
        text=True,
    )


def first_parts(centre: Centre) -> list[str]:
    return [s["to"] for s in centre.noted("submit") if s["text"][:6] == "050003" and s["text"][10:12] == "01"]


def finished(process: "subprocess.Popen[str]") -> dict[str, Any]:
    told, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


def test_a_sender_killed_again_and_again_sends_no_notice_twice(tmp_path: Path) -> None:
    numbers = [f"22{n:08}00" for n in range(COUNT)]
    Country(tmp_path / "country").take(*zip(imeis(COUNT), numbers, strict=True))
    assert plan_notices(TERMS, draw=counted_draw(), actor=SYSTEM, at=noon(7)) == COUNT
    database = shared(tmp_path)
    with running_centre(tmp_path) as centre:
        file = tmp_path / "notices.toml"
        file.write_text(FILE.format(port=centre.port), encoding="utf-8")
        (tmp_path / "password").write_text("secret\n", encoding="ascii")
        (tmp_path / "password").chmod(0o600)
        for _ in range(KILLS):
            seen = len(first_parts(centre))
            process = sender(database, file, noon(7), "send")
            until = time.monotonic() + 60
            while len(first_parts(centre)) < seen + 5 and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.01)
            process.kill()
            process.wait()
        result = finished(sender(database, file, noon(7), "finish"))
        sent = Counter(first_parts(centre))
    assert max(sent.values()) == 1
    assert result["sendings"] == 1
    states = result["states"]
    assert set(states) <= {"delivered", "uncertain"}
    assert sum(states.values()) == COUNT
    # What was in the dead one's hands is uncertain, and no more than that.
    assert 1 <= states["uncertain"] <= KILLS * 6
    assert len(sent) >= states["delivered"]
    assert COUNT - len(sent) <= states["uncertain"]
