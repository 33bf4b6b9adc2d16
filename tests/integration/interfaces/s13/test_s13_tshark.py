import shutil
import subprocess
from pathlib import Path

import pytest
from s13_server import MME, RawPeer, running, write_capture

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, encode_check
from ceir.interfaces.s13.avp import encode
from vectors import VECTORS

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark (Debian: tshark)")

FIELDS = (
    "diameter.cmd.code",
    "diameter.flags.request",
    "diameter.flags.error",
    "diameter.applicationId",
    "diameter.Result-Code",
    "diameter.Experimental-Result-Code",
    "diameter.Equipment-Status",
    "diameter.IMEI",
    "diameter.Software-Version",
    "diameter.Session-Id",
    "diameter.hopbyhopid",
    "_ws.malformed",
    "_ws.expert.message",
)


def decoded(capture: Path) -> list[dict[str, str]]:
    words = ["tshark", "-r", str(capture), "-d", "tcp.port==3868,diameter", "-o", "tcp.check_checksum:FALSE"]
    words += ["-T", "fields", "-E", "separator=/t"]
    for field in FIELDS:
        words += ["-e", field]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in out.splitlines()]


def test_tshark_reads_a_whole_conversation_without_fault_and_with_the_right_values(tmp_path: Path) -> None:
    proxy = encode(d.PROXY_INFO, encode(d.PROXY_HOST, b"dra.example.org") + b"\0\0\0\x21\x40\0\0\x0cSTAT")
    with running() as server, RawPeer(server.port) as peer:
        peer.introduce()
        peer.ask(codec.encode_dwr(MME, 2, 2))
        for number, (question, _) in enumerate(VECTORS):
            asked = Asked(
                f"mme.example.org;1;{'x' * (number % 5)}",
                f"{question.imei:014}",
                "" if question.software_version is None else f"{question.software_version:02}",
                "" if question.imsi is None else str(question.imsi)[1:],
                extra=proxy if number % 2 else b"",
            )
            peer.ask(encode_check(MME, asked, 100 + number, number))
        peer.ask(codec.encode_dpr(MME, d.DisconnectCause.REBOOTING, 3, 3))
    write_capture(tmp_path / "s13.pcap", peer.exchanged)
    packets = decoded(tmp_path / "s13.pcap")
    assert len(packets) == 2 * (len(VECTORS) + 3)
    assert not [packet for packet in packets if packet["_ws.malformed"]]
    words = {
        EquipmentStatus.PERMITTED: "0",
        EquipmentStatus.BLOCKED: "1",
        EquipmentStatus.TRACKED: "2",
        EquipmentStatus.UNKNOWN: "",
    }
    checks = [packet for packet in packets if packet["diameter.cmd.code"] == "324"]
    for number, (question, answer) in enumerate(VECTORS):
        sent, came = checks[2 * number : 2 * number + 2]
        assert sent["diameter.IMEI"] == f"{question.imei:014}"
        assert came["diameter.Equipment-Status"] == words[answer.status]
        unknown = answer.status is EquipmentStatus.UNKNOWN
        assert came["diameter.Result-Code"] == ("" if unknown else "2001")
        assert came["diameter.Experimental-Result-Code"] == ("5422" if unknown else "")
        assert came["diameter.Session-Id"] == sent["diameter.Session-Id"]
        assert came["diameter.hopbyhopid"] == sent["diameter.hopbyhopid"]
        assert came["diameter.applicationId"] == "16777252"
    others = [packet for packet in packets if packet["diameter.cmd.code"] in ("257", "280", "282")]
    assert [packet["diameter.Result-Code"] for packet in others] == ["", "2001"] * 3


def test_tshark_reads_refusals_without_fault(tmp_path: Path) -> None:
    unknown = b"\0\0\x27\x0f\x40\0\0\x0cWHAT"
    broken = [
        (encode_check(MME, Asked("a;1;1", "353456789012345", extra=unknown), 1, 1), "5001"),
        (encode_check(MME, Asked("a;1;2", "353456789012345", destination_realm="other.org"), 2, 2), "3003"),
        (codec.encode_message(324, 0xC0, d.S13_APPLICATION, 3, 3, b""), "5005"),
        (codec.encode_message(324, 0x80, d.S13_APPLICATION, 4, 4, b""), "3008"),
        (codec.encode_message(999, 0xC0, d.S13_APPLICATION, 5, 5, b""), "3001"),
        (codec.encode_message(324, 0xC0, 16777251, 6, 6, b""), "3007"),
        (codec.encode_message(324, 0xC0, d.S13_APPLICATION, 7, 7, b"\0\0\0\x01\x40\0\0\x40"), "5014"),
    ]
    with running() as server, RawPeer(server.port) as peer:
        peer.introduce()
        for message, _ in broken:
            peer.ask(message)
    # Only the answers count: some requests are broken on purpose.
    answers = [(ours, message) for ours, message in peer.exchanged[2:] if not ours]
    write_capture(tmp_path / "s13.pcap", answers)
    packets = decoded(tmp_path / "s13.pcap")
    assert [packet["diameter.Result-Code"].split(",")[0] for packet in packets] == [r for _, r in broken]
    assert not [packet for packet in packets if packet["_ws.malformed"]]
    assert [packet["diameter.flags.error"] for packet in packets] == [
        "1" if result.startswith("3") else "0" for _, result in broken
    ]
