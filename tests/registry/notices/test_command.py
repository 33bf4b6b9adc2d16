"""`ceir notices` as somebody types it, in a register of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from offices import in_sqlite

FILE = """
name = "Office"
short_code = "*123#"
untold = "hold"
quiet = { begin = 00:00:00, end = 00:00:00, zone = "Africa/Nairobi" }

[[gateways]]
name = "trial"
kind = "console"
"""


def ceir(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = "import sys; sys.argv[0] = 'ceir'; from ceir.cli.main import run; run()"
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CEIR_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=folder, env=plain, text=True, capture_output=True,
        check=False, timeout=300,
    )  # fmt: skip


@in_sqlite
@pytest.mark.slow
def test_an_installer_sets_notices_up_and_looks_where_they_stand(tmp_path: Path) -> None:
    assert ceir(tmp_path, "init", "here").returncode == 0
    here = tmp_path / "here"
    assert ceir(here, "migrate").returncode == 0
    refused = ceir(here, "notices", "check")
    assert (refused.returncode, "CEIR_NOTICES" in refused.stderr) == (2, True)
    (here / "notices.toml").write_text(FILE, encoding="utf-8")
    assert "held back for 14 days" in ceir(here, "notices", "check").stdout
    assert json.loads(ceir(here, "notices", "show", "--json").stdout) == {
        "notices": [], "blocks": {}, "held": 0
    }  # fmt: skip
    assert json.loads(ceir(here, "notices", "untold", "--json").stdout) == []
    assert json.loads(ceir(here, "notices", "send", "--json").stdout) == {"planned": 0, "sent": {}}
    (here / "notices.toml").write_text(FILE + "[[[", encoding="utf-8")
    broken = ceir(here, "notices", "check")
    assert (broken.returncode, "notice_configuration" in broken.stderr) == (2, True)
