"""tshark dissects what a running server exchanged: no malformed field, and the values we meant."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from ceir.interfaces.map import check_imei, m3ua, sccp, tcap
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.check_imei import Bmuef
from ceir.interfaces.map.responder import ResponderOptions
from ceir.interfaces.map.server import Listen, MapServer, Options
from ceir.interfaces.map.transport import Transport
from frames import capture, sctp
from vectors import BLOCKED_IMEI, PERMITTED_IMEI, TRACKED_IMEI, UNKNOWN_IMEI, SetChecker

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

TITLED = Asking(
    called=sccp.Address(False, None, 9, 4, sccp.global_title("22123456789")).encode(),
    calling=sccp.Address(False, None, 8, 4, sccp.global_title("2298765432")).encode(),
    routing_context=7,
)
EXTENDED = Asking(routing_context=7, extended=True)


def exchanged(messages: list[bytes]) -> list[tuple[bool, bytes]]:
    """What goes over the wire when a server gets these, in order; True: towards the server."""
    wire: list[tuple[bool, bytes]] = []

    async def go() -> None:
        options = ResponderOptions(bmuef=lambda _imei, _version: Bmuef((b"\xa0", 5), None))
        server = MapServer(
            SetChecker(), Options(listen=(Listen(port=0, transport=Transport.TCP),), responder=options)
        )
        stop = asyncio.Event()
        running = asyncio.create_task(server.run(stop))
        await server.ready.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
        for message in messages:
            writer.write(message)
            wire.append((True, message))
            async with asyncio.timeout(20):
                head = await reader.readexactly(8)
                rest = await reader.readexactly(int.from_bytes(head[4:], "big") - 8)
            wire.append((False, head + rest))
        stop.set()
        await running

    asyncio.run(go())
    return wire


def dissected(path: Path, *fields: str) -> list[list[str]]:
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|"]
    for field in ("_ws.malformed", "_ws.expert.message", *fields):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert not [row for row in rows if row[0] or "alformed" in row[1]]
    return [row[2:] for row in rows]


def captured(path: Path, messages: list[bytes]) -> int:
    up = m3ua.message(m3ua.ASPUP)
    active = m3ua.message(m3ua.ASPAC, m3ua.number(m3ua.TRAFFIC_MODE, 2), m3ua.number(m3ua.ROUTING_CONTEXT, 7))
    wire = exchanged([up, active, *messages])
    packets = [
        sctp(asked, m3ua.PORT, message, m3ua.PAYLOAD_PROTOCOL, number, message[2] == m3ua.TRANSFER)
        for number, (asked, message) in enumerate(wire)
    ]
    capture(path, packets)
    return len(packets)


@pytest.mark.parametrize("asking", [TITLED, EXTENDED], ids=["title-udt", "ssn-xudt"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_questions_and_answers_show_their_values(version: int, asking: Asking, tmp_path: Path) -> None:
    expected = {PERMITTED_IMEI: "0", BLOCKED_IMEI: "1", TRACKED_IMEI: "2", UNKNOWN_IMEI: ""}
    messages = [
        asking.request(version, 256 + number, f"{imei}07", sls=number)
        # More than twice, so that the answers come from templates too.
        for number, imei in enumerate(list(expected) * 3)
    ]
    path = tmp_path / "map.pcap"
    captured(path, messages)
    rows = dissected(
        path,
        "tcap.tid",
        "gsm_map.tbcd_digits",
        "gsm_map.ms.equipmentStatus",
        "gsm_old.localValue",
        "tcap.application_context_name",
        "sccp.called.ssn",
        "sccp.calling.ssn",
        "m3ua.routing_context",
    )[4:]
    context = "" if version == 1 else f"0.4.0.0.1.0.13.{version}"
    for number, imei in enumerate(list(expected) * 3):
        question, answer = rows[2 * number], rows[2 * number + 1]
        assert question == [f"0000{256 + number:04x}", f"{imei}07", "", "43", context, "9", "8", "7"]
        status = expected[imei]
        assert answer == [
            f"0000{256 + number:04x}", "", status, "43" if status else "7", context, "8", "9", "7",
        ]  # fmt: skip


def test_management_refusals_and_errors_are_well_formed(tmp_path: Path) -> None:
    components = tcap.component_portion(tcap.invoke(1, 43, b"\x30\x00"), tcap.invoke(2, 44, b"\x30\x00"))
    both = sccp.Address(True, None, 1).encode()
    test = sccp.unitdata(sccp.UDT, 0, both, both, sccp.management(sccp.SUBSYSTEM_STATUS_TEST, 9, 2))
    messages = [
        TITLED.carry(tcap.begin(b"\1\2\3\4", tcap.request(check_imei.context(3)), components)),
        TITLED.carry(tcap.begin(b"\1\2\3\5", tcap.request(check_imei.context(4)), components)),
        TITLED.carry(tcap.begin(b"\1\2\3\6", tcap.request(check_imei.context(1)), components)),
        TITLED.carry(tcap.begin(b"\1\2\3\7", tcap.request(check_imei.context(2)), b"")),
        TITLED.carry(tcap.proceed(b"\1\2\3\x08", b"\xee\xee", b"", components)),
        Asking(called=sccp.Address(True, None, 6).encode()).request(2, 1, str(BLOCKED_IMEI)),
        TITLED.request(3, 9, str(BLOCKED_IMEI), asked=0xC0),
        m3ua.transfer(test, opc=1, dpc=2, sls=0),
        m3ua.message(m3ua.BEAT, m3ua.parameter(m3ua.HEARTBEAT_DATA, b"12345")),
        m3ua.message(m3ua.DAUD, m3ua.parameter(m3ua.AFFECTED_POINT_CODE, b"\0\0\0\2")),
        m3ua.message((9, 1)),
        m3ua.message(m3ua.ASPIA),
        m3ua.message(m3ua.ASPDN),
    ]
    path = tmp_path / "map.pcap"
    count = captured(path, messages)
    rows = dissected(
        path, "m3ua.message_class", "m3ua.message_type", "tcap.application_context_name", "sccp.return_cause",
        "gsm_map.ms.uesbi_IuA", "m3ua.error_code",
    )  # fmt: skip
    assert len(rows) == count
    answers = rows[5::2]
    assert [row[2] for row in answers[1:3]] == ["0.4.0.0.1.0.13.3", ""]
    assert answers[5][3] == "0x04"
    assert answers[6][4] != ""
    assert [(row[0], row[1]) for row in answers[8:10]] == [("3", "6"), ("2", "2")]
    assert answers[10][5] == "3"
    assert [(row[0], row[1]) for row in answers[11:]] == [("4", "4"), ("3", "5")]
