"""The load clients' tests over SCTP, on a kernel that has it."""

import sys
from pathlib import Path

import pytest

import guest
from ceir.interfaces.map.transport import sctp_available

ROOT = Path(__file__).resolve().parents[4]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sctp_available(), reason="this kernel has SCTP: the tests run where they stand"),
    pytest.mark.skipif(guest.why_not() is not None, reason=f"no SCTP here, and {guest.why_not()}"),
]


def test_the_load_goes_over_sctp_on_a_kernel_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    environment = {
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": "/run",
        "TMPDIR": "/run",
    }
    words = (
        "-m",
        "pytest",
        "-q",
        "--color=no",
        "-p",
        "no:cacheprovider",
        "tests/integration/load",
        "-k",
        "sctp",
    )
    code, output = guest.run([sys.executable, *words], environment, 300)
    assert code == 0, output[-3000:]
    assert "2 passed" in output
