"""The database is brought up to date while the register goes on: nobody waits, and nothing is half done."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED
from offices import ceir, own_database, ready_country
from test_backups import run

from ceir.registry.project.configuring import APPS
from ceir.registry.project.migrating import _ONE_AT_A_TIME

OPEN = "import sys\nfrom ceir.cli._register import open_register\nfrom ceir.cli._session import Session\n" \
       "open_register(Session(as_json=True, debug=True), as_it_is=True)\n"  # fmt: skip
BEFORE_IT_WAS_IN_USE = frozenset(
    {
        "accounts.0002_logins",
        "accounts.0003_four_eyes",
        "appeals.0003_sealed_beside",
        "appeals.0005_no_clear",
        "logins.0002_four_eyes",
        "pairings.0003_despite_report",
        "releases.0003_started_alone",
    }
)
"""Steps from before the first version, when nothing could run beside them; never add one after it."""


def steps() -> Iterator[tuple[str, migrations.Migration]]:
    """Every step of ours after the first ones of its application, which make what was not there."""
    labels = {app.rsplit(".", 1)[1] for app in APPS}
    for (label, name), step in MigrationLoader(None).disk_migrations.items():
        if label in labels and not step.initial and name != "0001_initial":
            yield f"{label}.{name}", step


def made_by(step: migrations.Migration) -> set[str]:
    return {one.name_lower for one in step.operations if isinstance(one, migrations.CreateModel)}


def in_the_way(operation: object) -> str:
    """Why code of the version before would fail beside an operation; empty: it would not."""
    if isinstance(
        operation,
        migrations.RemoveField | migrations.RenameField | migrations.DeleteModel | migrations.RenameModel,
    ):
        return "what it uses would be gone"
    if isinstance(operation, migrations.AddField):
        field: models.Field[object, object] = operation.field
        if not field.null and field.db_default is NOT_PROVIDED and not field.many_to_many:
            return "rows that it writes would lack the column"
    return ""


def test_code_of_the_version_before_bears_every_step() -> None:
    found = {
        name
        for name, step in steps()
        for operation in step.operations
        if in_the_way(operation) and getattr(operation, "model_name_lower", "") not in made_by(step)
    }
    assert found <= BEFORE_IT_WAS_IN_USE, "see docs/admin/upgrading.md"


def test_what_would_be_in_the_way_is_found() -> None:
    needed = migrations.AddField("case", "shelf", models.TextField())
    assert in_the_way(needed)
    assert in_the_way(migrations.RemoveField("case", "state"))
    assert not in_the_way(migrations.AddField("case", "shelf", models.TextField(null=True)))
    assert not in_the_way(migrations.AddField("case", "shelf", models.TextField(db_default="")))


@contextmanager
def somebody_at_work(folder: Path, settings: dict[str, str]) -> Iterator[None]:
    """A transaction that holds what a step needs."""
    if settings:
        with psycopg.connect(settings["CEIR_DATABASE"], application_name="somebody") as connection:
            connection.execute("SELECT count(*) FROM runs_contact")
            yield
    else:
        other = sqlite3.connect(folder / "register.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.close()


@pytest.mark.slow
def test_a_step_that_others_stand_in_the_way_of_lets_go_and_is_taken_later(tmp_path: Path) -> None:
    with own_database("ceir_steps") as settings:
        ceir("init", "here", settings=settings, folder=tmp_path)
        here = tmp_path / "here"
        missing = ceir("audit", "verify", settings=settings, folder=here, code=2)
        assert "registry_configuration" in missing.stderr
        ceir("migrate", settings=settings, folder=here)
        back = "from django.core.management import call_command\ncall_command('migrate', 'runs', '0001')\n"
        run(OPEN + back, here, settings)
        lacking = ceir("audit", "verify", settings=settings, folder=here, code=1)
        assert "database_not_migrated" in lacking.stderr
        with somebody_at_work(here, settings):
            blocked = ceir(
                "migrate", "--lock-seconds", "0.2", "--tries", "2", settings=settings, folder=here, code=1
            )
        assert "migration_blocked" in blocked.stderr
        assert "runs.0002" in blocked.stderr
        assert not settings or "(somebody)" in blocked.stderr
        assert "steps applied" in ceir("migrate", settings=settings, folder=here).stdout
        assert "up to date" in ceir("migrate", settings=settings, folder=here).stdout
        if settings:
            with psycopg.connect(settings["CEIR_DATABASE"]) as connection:
                connection.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
                second = ceir("migrate", settings=settings, folder=here, code=1)
            assert "migration_running" in second.stderr


FUTURE = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE organisations_organisation ADD COLUMN shelf varchar(9) DEFAULT '' NOT NULL")
    cursor.execute("ALTER TABLE audit_entry ADD COLUMN room integer NULL")
    cursor.execute("CREATE TABLE organisations_shelf (id integer PRIMARY KEY)")
    cursor.execute("INSERT INTO django_migrations (app, name, applied) "
                   "VALUES ('organisations', '0099_shelves', '2027-01-01 00:00:00+00:00')")
from ceir.registry.actors import SYSTEM
from ceir.registry.audit.chain import record, verify
from ceir.registry.organisations.models import Organisation
from datetime import UTC, datetime
at = datetime.now(UTC)
Organisation.objects.create(code="police", kind="police", name="Police", created_at=at)
record(SYSTEM, "test.done", "test:1", at=at)
print(verify().sequence, Organisation.objects.get().name)
"""


@pytest.mark.slow
def test_code_of_today_goes_on_beside_a_database_of_tomorrow(tmp_path: Path) -> None:
    with ready_country("ceir_tomorrow", tmp_path) as settings:
        here = tmp_path / "here"
        assert run(OPEN + FUTURE, here, settings).strip() == "1 Police"
        ceir("jobs", "run", "proposals-end", settings=settings, folder=here)
        ceir("serve", "--examine", settings=settings, folder=here)
        ceir("backup", str(tmp_path / "kept"), settings=settings, folder=here)
    with own_database("ceir_today") as settings:
        # But it does not bring back what it does not know.
        ceir("init", "there", settings=settings, folder=tmp_path)
        there = tmp_path / "there"
        refused = ceir(
            "restore", str(tmp_path / "kept"), "--keys", str(here / "keys" / "personal"), settings=settings,
            folder=there, code=1,
        )  # fmt: skip
        assert "0099_shelves" in refused.stderr
