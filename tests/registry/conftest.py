"""The register's tests run on a real database: SQLite, and PostgreSQL where CEIR_TEST_DATABASE says so.

`just test` runs this folder once for each; tools/postgres.sh starts a PostgreSQL of its own.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def pytest_configure(config: pytest.Config) -> None:
    """Set Django up once, before any model is imported."""
    folder = Path(config.cache.mkdir("registry")) if config.cache else Path()  # type: ignore[attr-defined]
    keys = folder / f"keys-{os.getpid()}"
    make_keys(keys)
    database = os.environ.get("CEIR_TEST_DATABASE") or folder / f"register-{os.getpid()}.sqlite3"
    configure(RegistryOptions(database=database, secret="for tests only " * 3, keys=keys, debug=True))


@pytest.fixture(scope="session", autouse=True)
def _database() -> Iterator[None]:
    from django.db import connections  # noqa: PLC0415 - Django is set up by now
    from django.test.utils import (  # noqa: PLC0415
        setup_databases,
        setup_test_environment,
        teardown_databases,
    )

    setup_test_environment(debug=False)
    made = setup_databases(verbosity=0, interactive=False)
    yield
    connections.close_all()
    teardown_databases(made, verbosity=0)
