"""The register's tests run on a real database: SQLite, or the PostgreSQL that CEIR_TEST_DATABASE names."""

import os
import tempfile
from pathlib import Path

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


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """Every test of this folder has the database, and leaves it as it was."""
