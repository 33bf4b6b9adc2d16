"""Every test that needs SCTP passes: in a guest, where this kernel has none."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import guest
from ceir.interfaces.map.transport import sctp_available

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FILES = [str(HERE / name) for name in ("s13/test_s13_sctp.py", "map/test_map_sctp.py")]
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--color=no"]
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT / "src"),
    "PYTHONDONTWRITEBYTECODE": "1",
    # What is not asked for need not be loaded, which an emulated processor does slowly.
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
}


@pytest.mark.slow
@pytest.mark.skipif(
    sctp_available(), reason="the platform's kernel has SCTP, so the tests run outside a guest"
)
@pytest.mark.skipif(guest.why_not() is not None, reason=f"{guest.why_not()}")
def test_all_tests_over_sctp_pass_in_a_guest() -> None:
    collected = subprocess.run(
        [*PYTEST, "--collect-only", *FILES],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=ROOT,
    ).stdout
    expected = set(re.findall(r"^\S+::\S+$", collected, re.MULTILINE))
    assert len(expected) > 5
    # Results come out as text only, and only /run can be written to.
    within = {"TMPDIR": "/run", "HOME": "/run", "CEIR_PEERS": "required"}
    code, output = guest.run([*PYTEST, "-rA", *FILES], ENVIRONMENT | within, 400, ROOT)
    assert code == 0, output[-20_000:]
    assert set(re.findall(r"^PASSED (\S+)", output, re.MULTILINE)) == expected
