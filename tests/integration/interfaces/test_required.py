"""A skip for want of software fails where all software has to be there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

def test_software():
    pytest.skip("osmo-stp is not installed")

@pytest.mark.skipif(True, reason="tshark is not installed")
def test_marked():
    pass

def test_platform():
    pytest.skip("the platform's kernel has no SCTP")

def test_here():
    pass
"""


@pytest.mark.parametrize(
    ("required", "counts"),
    [("", "1 passed, 3 skipped"), ("required", "1 failed, 1 passed, 1 skipped, 1 error")],
)
def test_only_what_the_platform_lacks_may_be_skipped_where_software_is_required(
    required: str, counts: str, tmp_path: Path
) -> None:
    assert counts in ran(tmp_path, SKIPPING, required)


def test_a_module_that_is_skipped_whole_fails_where_software_is_required(tmp_path: Path) -> None:
    source = "import pytest\npytest.importorskip('no_such_module')\n"
    assert "1 skipped" in ran(tmp_path, source, "")
    assert "1 error" in ran(tmp_path, source, "required")


def ran(folder: Path, source: str, required: str) -> str:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_it.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        env=os.environ | {"CEIR_PEERS": required, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    ).stdout
