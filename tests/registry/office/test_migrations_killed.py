"""`ceir migrate` killed without a word at any moment: the next one goes on, and nothing is half there."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from offices import Office, ceir, environment, own_database

from ceir.registry.personal.keys import KeyRing, make_keys

pytestmark = pytest.mark.slow

WHOLE = """
from ceir.cli._register import open_register
from ceir.cli._session import Session
open_register(Session(as_json=True, debug=True))
import json
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.contrib.auth.models import Permission
from django.db import connection
from ceir.registry.project.migrating import pending, taken
look = connection.introspection
shape = {}
with connection.cursor() as cursor:
    for table in sorted(look.table_names()):
        columns = sorted((c.name, bool(c.null_ok)) for c in look.get_table_description(cursor, table))
        bounds = [
            [sorted(c["columns"] or []), c["unique"], c["primary_key"], c["foreign_key"], c["check"]]
            for c in look.get_constraints(cursor, table).values()
        ]
        shape[table] = [columns, sorted(json.dumps(bound) for bound in bounds)]
print(json.dumps([pending(), taken(), shape, ContentType.objects.count(), Permission.objects.count()]))
"""


def whole(here: Path, settings: dict[str, str]) -> list[object]:
    """The shape of everything, to be held against one that was made undisturbed."""
    done = subprocess.run(
        [sys.executable, "-c", WHOLE], check=True, cwd=here, env=environment(settings), text=True,
        capture_output=True, timeout=600,
    )  # fmt: skip
    found: list[object] = json.loads(done.stdout)
    return found


def steps(here: Path, settings: dict[str, str]) -> int:
    """How many steps are marked as taken, asked from outside; 0: there is nothing yet."""
    try:
        if settings:
            with psycopg.connect(settings["CEIR_DATABASE"]) as connection:
                row = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
        else:
            with sqlite3.connect(f"file:{here / 'register.sqlite3'}?mode=ro", uri=True, timeout=5) as other:
                row = other.execute("SELECT count(*) FROM django_migrations").fetchone()
    except (psycopg.Error, sqlite3.Error):
        return 0
    return int(row[0]) if row else 0


def killed_after(here: Path, settings: dict[str, str], count: int) -> None:
    """Migrate, and be killed as soon as so many steps are marked."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from ceir.cli.main import run; run()", "migrate"],
        cwd=here, env=environment(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and steps(here, settings) < count:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL, "it ended before it was killed"


def test_a_migration_that_is_killed_goes_on_where_it_was_and_the_register_is_whole(tmp_path: Path) -> None:
    shapes = []
    for name, kills in (("undisturbed", ()), ("killed", (1, 30))):
        with own_database(f"ceir_{name}") as settings:
            ceir("init", name, settings=settings, folder=tmp_path)
            here = tmp_path / name
            for count in kills:
                killed_after(here, settings, count)
                assert steps(here, settings) >= count
            if kills:
                lacking = ceir("audit", "verify", settings=settings, folder=here, code=1)
                assert "database_not_migrated" in lacking.stderr
            ceir("migrate", settings=settings, folder=here)
            shapes.append(whole(here, settings))
            if kills:
                ceir("createadmin", "amina", "--password-stdin", settings=settings, folder=here,
                     told="a heron stands in the reeds\n")  # fmt: skip
                ceir("audit", "verify", settings=settings, folder=here)
                office = Office(here, settings)
                try:
                    assert office.get("/account/login/").status_code == 200
                finally:
                    office.end()
    undisturbed, killed = shapes
    assert killed[0] == []
    assert killed == undisturbed


def test_keys_of_which_only_half_were_drawn_are_drawn_anew(tmp_path: Path) -> None:
    half = tmp_path / ".personal.new"
    half.mkdir()
    (half / "00000001.key").write_text("ab")
    make_keys(tmp_path / "personal")
    assert KeyRing.load(tmp_path / "personal").current == "00000001"
    assert not half.exists()
