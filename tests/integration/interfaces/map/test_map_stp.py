"""An exchange asks our EIR through Osmocom's STP over SCTP: both of ours are ASPs, the STP is the gateway."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import guest
from ceir.interfaces.map.transport import sctp_available

HERE = Path(__file__).resolve()
ROOT = HERE.parents[4]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("osmo-stp") is None, reason="osmo-stp is not installed"),
    pytest.mark.skipif(
        not sctp_available() and guest.why_not() is not None,
        reason=f"this kernel has no SCTP, and {guest.why_not()}",
    ),
]

_FIELDS = (
    *("sctp.data_payload_proto_id", "sctp.data_sid", "m3ua.message_class", "_ws.malformed"),
    *("gsm_map.ms.equipmentStatus", "sccp.calling.ssn"),
)


def ran(folder: Path) -> tuple[dict[str, object], list[list[str]]]:
    """What the program told, and the fields of every packet that was seen."""
    program = [sys.executable, str(HERE.with_name("through_stp.py"))]
    show = " ".join(f"-e {field}" for field in _FIELDS)
    place = folder if sctp_available() else Path("/run")
    script = (
        f"{' '.join(program)} {place}; cat {place}/result.json; echo; echo ====;"
        f" tshark -r {place}/exchanged.pcap -T fields -E separator='|' {show} 2>/dev/null"
    )
    environment = {
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(place),
    }
    command = ["/bin/sh", "-c", script]
    if sctp_available():
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        output = done.stdout + done.stderr
    else:
        _, output = guest.run(command, environment, 600)
    told, _, packets = output.partition("====\n")
    start = told.find('{"')
    assert start >= 0, output[-3000:]
    rows = [line.split("|") for line in packets.splitlines() if line.count("|") == len(_FIELDS) - 1]
    return json.loads(told[start:].strip().splitlines()[0]), rows


def test_an_exchange_is_answered_through_a_gateway_over_sctp(tmp_path: Path) -> None:
    result, packets = ran(tmp_path)
    assert "error" not in result, result
    assert result["wrong"] == []
    asked, appended = result["asked"], result["appended"]
    assert isinstance(asked, int)
    assert isinstance(appended, int)
    assert asked == result["answered"] > 80
    carried = [row for row in packets if row[0]]
    if not carried:
        pytest.skip("the answers were right; dumpcap or tshark is missing, so no packet was looked at")
    assert {row[0] for row in carried} == {"3"}
    assert {row[1] for row in carried if row[2] != "1"} == {"0x0000"}
    data = [row for row in carried if row[2] == "1"]
    # Each question and each answer passes twice: before the gateway and after it.
    assert len(data) == 4 * asked
    ours = [row for row in data if row[5] == "9"]
    assert len(ours) == 2 * asked
    assert "0x0000" not in {row[1] for row in data}
    assert not any(row[3] for row in ours)
    # The appended IMSI is no standard form, and tshark says so of these questions alone.
    assert sum(bool(row[3]) for row in data) == 2 * appended
