"""What the pages on installing say is pasted into a shell, and works."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from offices import environment, in_sqlite

pytestmark = [pytest.mark.slow, in_sqlite]

PAGES = Path(__file__).parents[3] / "docs" / "admin"
TACS = "TAC|Manufacturer|Model Name|Device Type|SIMSlot\n35675904|Oppo|N1|Smartphone|2\n"


def lines(page: str) -> list[str]:
    """What is typed on a page, in its order."""
    blocks = re.findall(r"```\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith(("ceir ", "cd "))]


def test_every_line_of_the_page_on_the_country_works_when_it_is_pasted(tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "ceir"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from ceir.cli.main import run; run()' \"$@\"\n")
    shim.chmod(0o755)
    typed = lines("country.md")
    assert typed[:3] == ["ceir init mycountry --time-zone Africa/Nairobi", "cd mycountry", "ceir country"]
    assert len(typed) == 7
    (tmp_path / "tac.txt").write_text(TACS, encoding="utf-8")
    script = "\n".join(["set -ex", *typed]).replace("--tacs tac.txt", "--tacs ../tac.txt")
    known = environment({})
    done = subprocess.run(
        ["sh", "-c", script], check=False, cwd=tmp_path, text=True, capture_output=True, timeout=900,
        env={**known, "PATH": f"{shim.parent}:{known['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Taken over: 1 tacs." in done.stdout
    assert "It could serve." in done.stdout


def test_the_page_on_installing_begins_with_lines_that_other_tests_run() -> None:
    assert lines("installing.md")[:3] == ["ceir init mycountry", "cd mycountry", "ceir serve"]
