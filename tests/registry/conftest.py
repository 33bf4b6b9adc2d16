"""The register's tests run on a real database: SQLite, or the PostgreSQL that CEIR_TEST_DATABASE names."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

if not settings.configured:
    _FOLDER = Path(tempfile.mkdtemp(prefix="ceir-register-"))
    make_keys(_FOLDER / "keys")
    configure(
        RegistryOptions(
            database=os.environ.get("CEIR_TEST_DATABASE") or _FOLDER / "register.sqlite3",
            secret="for tests only " * 3,
            keys=_FOLDER / "keys",
            debug=True,
        )
    )
    settings.PASSWORD_HASHERS = ["quick_scrypt.QuickScrypt"]


@pytest.fixture(autouse=True)
def _database(db: None) -> None:  # noqa: ARG001 - asked for, not looked at
    """Every test of this folder has the database, and leaves it as it was."""
    from ceir.api import known_callers

    # The rows of another test may have had the same keys.
    known_callers.forget()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Published runs with copied identities, see `copied_world`; nobody changes them."""
    from copied_world import make_world

    return make_world(tmp_path_factory.mktemp("copied") / "register")


@pytest.fixture(autouse=True, scope="session")
def _record_can_be_emptied() -> Iterator[None]:
    """Tests that commit are followed by emptying every table. The record of deeds refuses that, as it must:
    here its guards are lifted for a moment, and its beginning is put back."""
    from django.db.backends.base.operations import BaseDatabaseOperations

    from ceir.registry.audit.models import Head

    flush = BaseDatabaseOperations.execute_sql_flush

    def flush_all(self: Any, statements: Iterable[str]) -> None:
        with self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":
                cursor.execute("SET session_replication_role = replica")
                flush(self, statements)
                cursor.execute("SET session_replication_role = DEFAULT")
            else:
                cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                triggers = cursor.fetchall()
                for name, _ in triggers:
                    cursor.execute(f'DROP TRIGGER "{name}"')
                flush(self, statements)
                for _, sql in triggers:
                    cursor.execute(sql)
        Head.objects.create(pk=1, sequence=0, digest=bytes(32))

    BaseDatabaseOperations.execute_sql_flush = flush_all  # type: ignore[method-assign]
    yield
    BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
