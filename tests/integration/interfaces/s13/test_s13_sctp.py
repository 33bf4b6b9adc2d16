"""S13 over SCTP: our server, freeDiameter and a plain socket as peers, and what tshark sees of it.

Where the kernel has no SCTP, test_sctp_guest.py runs this in a guest.
"""

import socket
from collections.abc import Callable
from pathlib import Path

import freediameter
import pytest
from capturing import fields, recording
from freediameter import EXPECTED, PEER
from s13_server import MME, Running, certificates, result_code, running

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13 import codec, sctp
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.conversation import Peer
from ceir.interfaces.s13.server import DIAMETER_PORT, Endpoint, Transport
from vectors import VECTORS

pytestmark = pytest.mark.skipif(
    not sctp.is_available(), reason="the platform's kernel has no SCTP: see test_sctp_guest.py"
)

SCTP = Endpoint("127.0.0.1", DIAMETER_PORT, Transport.SCTP)


def question(number: int) -> bytes:
    asked, _ = VECTORS[number % len(VECTORS)]
    version = "" if asked.software_version is None else f"{asked.software_version:02}"
    imsi = "" if asked.imsi is None else str(asked.imsi)[1:]
    session = f"mme.example.org;1;{number}"
    return encode_check(MME, Asked(session, f"{asked.imei:014}", version, imsi), number, number)


def connected(server: Running) -> socket.socket:
    made = sctp.sctp_socket()
    made.settimeout(60)
    made.connect(("127.0.0.1", server.port))
    made.send(codec.encode_cer(MME, 1, 1))
    assert result_code(whole(made)) == 2001
    return made


def whole(peer: socket.socket) -> bytes:
    """The next SCTP message, which must be one Diameter message; empty: the association has ended."""
    message, _, flags, _ = peer.recvmsg(65536)
    if message:
        assert flags & socket.MSG_EOR
        assert int.from_bytes(message[1:4], "big") == len(message)
    return message


def test_every_question_of_a_long_pipeline_is_answered_in_order() -> None:
    count = 2000
    with running(SCTP) as server, connected(server) as peer:
        sent = 0
        peer.setblocking(False)
        # Nothing is read until no more can be sent, so the answers have to wait in the server too.
        try:
            while sent < count:
                peer.send(question(sent))
                sent += 1
        except BlockingIOError:
            peer.settimeout(60)
        peer.settimeout(60)
        for number in range(count):
            answer = whole(peer)
            assert codec.read_header(answer, 0, 4096).hop_by_hop == number
            assert decode_answer(answer[20:]).status is VECTORS[number % len(VECTORS)][1].status
            if sent < count:
                peer.send(question(sent))
                sent += 1


def test_a_message_that_is_not_whole_ends_the_association_and_no_other() -> None:
    with running(SCTP) as server, connected(server) as good:
        with connected(server) as bad:
            bad.send(question(1)[:-4])
            assert whole(bad) == b""
        good.send(question(0))
        assert decode_answer(whole(good)[20:]).status is VECTORS[0][1].status


def test_a_stopping_server_takes_leave_over_sctp() -> None:
    with running(SCTP) as server, connected(server) as peer:
        server.stop()
        leave = codec.read_header(request := whole(peer), 0, 4096)
        assert leave.command == d.Command.DISCONNECT_PEER
        assert leave.is_request
        assert len(request) > 20
        peer.send(codec.encode_dpa(MME, leave))
        assert whole(peer) == b""
        assert server.stopped.wait(30)


def needed(test: Callable[[Path], None]) -> Callable[[Path], None]:
    for mark in freediameter.NEEDED:
        test = mark(test)
    return test


@needed
def test_freediameter_asks_over_sctp_and_tshark_sees_one_marked_message_a_chunk(tmp_path: Path) -> None:
    certificates(tmp_path, PEER)
    capture = tmp_path / "s13.pcap"
    with recording(capture, "sctp"), running(SCTP, peers=[Peer(PEER, realm="example.org")]) as server:
        answers, log = freediameter.ask(tmp_path, server.port, Transport.SCTP)
        assert answers == EXPECTED, log[-3000:]
        counters = server.service.counters
        assert (counters.accepted, counters.answered) == (1, len(VECTORS))
        assert (counters.refused, counters.ignored, counters.failures) == ({}, 0, 0)
    packets = fields(
        capture,
        (
            *(
                "_ws.malformed",
                "sctp.srcport",
                "sctp.data_payload_proto_id",
                "sctp.data_b_bit",
                "sctp.data_e_bit",
            ),
            *("diameter.cmd.code", "diameter.Equipment-Status", "diameter.Experimental-Result-Code"),
            "sctp.data_tsn_raw",
        ),
    )
    assert not [packet for packet in packets if packet[0]]
    statuses: list[str] = []
    commands: list[str] = []
    sent = set[str]()
    for _, source, protocol, begins, ends, command, status, unknown, numbers in packets:
        if source != str(DIAMETER_PORT) or not protocol:
            continue
        chunks = protocol.split(",")
        assert set(chunks) == {"46"}
        # Each chunk begins and ends its message, and holds one: as many new chunks as commands. A busy kernel
        # sends some again; tshark does not look into those a second time.
        assert begins.split(",") == ends.split(",") == ["1"] * len(chunks)
        new = set(numbers.split(",")) - sent
        sent |= new
        shown = command.split(",") if command else []
        assert len(shown) == len(new)
        commands += shown
        statuses += [word for word in f"{status},{unknown}".split(",") if word]
    words = {EquipmentStatus.PERMITTED: "0", EquipmentStatus.BLOCKED: "1", EquipmentStatus.TRACKED: "2"}
    assert sorted(statuses) == sorted(words.get(answer.status, "5422") for _, answer in VECTORS)
    assert commands.count("324") == len(VECTORS)
    assert {"257", "282"} <= set(commands)
