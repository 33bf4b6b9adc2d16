"""Lets tests import what they share from this directory, for instance `vectors`; and sets Django up, once for
all tests of a process, before anything asks for a model."""

import os
import tempfile
from pathlib import Path

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
