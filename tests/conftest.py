"""Lets tests import what they share from this directory, for instance `vectors`; and sets Django up, once for
all tests of a process, before anything asks for a model."""

import os
import tempfile
from pathlib import Path

import pytest

from ceir.registry.personal.keys import make_keys
from ceir.registry.project.configuring import RegistryOptions, configure

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: one that begins last would have a processor for itself."""
    slow = {
        item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("spark")
    }
    items.sort(key=lambda item: item.path not in slow)
