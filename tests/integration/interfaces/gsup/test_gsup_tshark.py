"""tshark dissects what is exchanged, with the values we meant."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.server import GsupServer
from frames import capture, tcp
from vectors import BLOCKED_IMEI, PERMITTED_IMEI, SetChecker

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def test_questions_answers_and_errors_show_their_values(tmp_path: Path) -> None:
    server = GsupServer(SetChecker())
    asked = [
        codec.ask(str(PERMITTED_IMEI), "001010123456789", b"MSC\0"),
        codec.ask(f"{BLOCKED_IMEI}", "001010123456789"),
        codec.message(0x30, ((1, codec.packed("001010123456789")),)),
    ]
    sent = received = 0
    packets = []
    for question in asked:
        answer = server.answered(question[4:], 0.0, lambda: 0.0)
        assert answer is not None
        packets.append(tcp(True, codec.PORT, question, sent, received))
        sent += len(question)
        packets.append(tcp(False, codec.PORT, answer, received, sent))
        received += len(answer)
    path = tmp_path / "gsup.pcap"
    capture(path, packets)
    fields = (
        "_ws.malformed",
        "gsup.msg_type",
        "e212.imsi",
        "gsup.imei_check_res",
        "gsup.cause",
        "gsup.msg_class",
    )
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|"]
    for field in (*fields, "gsup.dest_name.text", "gsm_a.imei"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    imsi = "001010123456789"
    assert [row[:6] for row in rows] == [
        ["", "48", imsi, "", "", "1"],
        ["", "50", imsi, "0", "", "1"],
        ["", "48", imsi, "", "", "1"],
        ["", "50", imsi, "1", "", "1"],
        ["", "48", imsi, "", "", ""],
        ["", "49", imsi, "", "0x60", ""],
    ]
    assert rows[1][6] == "MSC"
