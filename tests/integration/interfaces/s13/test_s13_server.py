import asyncio
import contextlib
import shutil
import socket
import ssl
import time
from pathlib import Path

import pytest
from s13_server import MME, PEERS, SERVER, RawPeer, certificates, context, result_code, running, tls_endpoint

from ceir.equipment_check import Answer
from ceir.interfaces.s13 import codec, sctp
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from ceir.interfaces.s13.links import MessageLink
from ceir.interfaces.s13.server import Endpoint, ListenError, Transport, serve
from vectors import VECTORS, SetChecker

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")


def questions() -> list[bytes]:
    return [
        encode_check(
            MME,
            Asked(
                f"mme.example.org;1;{number}",
                f"{question.imei:014}",
                "" if question.software_version is None else f"{question.software_version:02}",
                "" if question.imsi is None else str(question.imsi)[1:],
            ),
            number,
            number,
        )
        for number, (question, _) in enumerate(VECTORS)
    ]


def test_every_vector_is_answered_right_over_tcp_in_one_write() -> None:
    with running() as server, RawPeer(server.port) as peer:
        assert result_code(peer.introduce()) == 2001
        peer.send(b"".join(questions()))
        for number, (_, answer) in enumerate(VECTORS):
            message = peer.receive()
            assert codec.read_header(message, 0, 4096).hop_by_hop == number
            assert decode_answer(message[20:]).status is answer.status


@needs_openssl
def test_every_vector_is_answered_right_over_mutual_tls(tmp_path: Path) -> None:
    certificates(tmp_path, SERVER.host, MME.host)
    with (
        running(tls_endpoint(tmp_path), peers=[Peer(MME.host, secured=True)]) as server,
        RawPeer(server.port, context(tmp_path, MME.host, server=False)) as peer,
    ):
        assert result_code(peer.introduce()) == 2001
        peer.send(b"".join(questions()))
        for _, answer in VECTORS:
            assert decode_answer(peer.receive()[20:]).status is answer.status


@needs_openssl
def test_a_certificate_of_another_name_or_none_is_refused(tmp_path: Path) -> None:
    certificates(tmp_path, SERVER.host, "sgsn.example.org")
    with running(tls_endpoint(tmp_path)) as server:
        with RawPeer(server.port, context(tmp_path, "sgsn.example.org", server=False)) as peer:
            assert result_code(peer.introduce(MME)) == 3010
            assert peer.receive() == b""
        nameless = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with contextlib.suppress(OSError), RawPeer(server.port, nameless) as peer:  # TLS 1.3 fails late
            assert peer.introduce() == b""
        assert server.service.counters.accepted == 0


@needs_openssl
def test_plain_octets_on_the_tls_port_do_no_harm(tmp_path: Path) -> None:
    certificates(tmp_path, SERVER.host, MME.host)
    with running(tls_endpoint(tmp_path)) as server:
        with RawPeer(server.port) as peer:
            peer.send(codec.encode_cer(MME, 1, 1))
            peer.socket.settimeout(20)
            while peer.socket.recv(100):
                pass
        with RawPeer(server.port, context(tmp_path, MME.host, server=False)) as peer:
            assert result_code(peer.introduce()) == 2001


def test_an_unknown_peer_gets_its_answer_and_is_closed() -> None:
    with running() as server, RawPeer(server.port) as peer:
        assert result_code(peer.introduce(Node("stranger.example.org", "example.org"))) == 3010
        assert peer.receive() == b""


def test_several_connections_of_several_peers_are_served_side_by_side() -> None:
    with running() as server:
        peers = [RawPeer(server.port) for _ in range(6)]
        for number, peer in enumerate(peers):
            assert result_code(peer.introduce(Node(PEERS[number % 2].host, "example.org"))) == 2001
        for peer in peers:
            peer.send(questions()[0])
        for peer in reversed(peers):
            assert decode_answer(peer.receive()[20:]).status is VECTORS[0][1].status
        assert server.service.counters.connected == {MME.host: 3, "sgsn.example.org": 3}
        for peer in peers:
            peer.socket.close()


def test_stopping_takes_leave_of_every_peer_and_answers_what_is_under_way() -> None:
    with (
        running(limits=Limits(farewell=15)) as server,
        RawPeer(server.port) as peer,
        RawPeer(server.port) as half,
    ):
        peer.introduce()
        server.stop()
        header = codec.read_header(dpr := peer.receive(), 0, 4096)
        assert (header.command, header.flags) == (282, 0x80)
        assert codec.decode_disconnect(dpr[20:]) == 0
        assert decode_answer(peer.ask(questions()[0])[20:]).status is VECTORS[0][1].status
        began = time.monotonic()
        peer.send(codec.encode_dpa(MME, header))
        assert peer.receive() == b""
        assert half.receive() == b""
        peer.socket.close()
        assert server.stopped.wait(10)
        assert time.monotonic() - began < 10


def test_stopping_does_not_wait_for_peers_that_do_not_answer() -> None:
    with running(limits=Limits(farewell=0.5)) as server, RawPeer(server.port) as peer:
        peer.introduce()
        server.stop()
        assert server.stopped.wait(5)


def test_a_peer_that_takes_leave_is_answered_and_closed() -> None:
    with running() as server, RawPeer(server.port) as peer:
        peer.introduce()
        dpa = peer.ask(codec.encode_dpr(MME, d.DisconnectCause.REBOOTING, 3, 3))
        assert result_code(dpa) == 2001
        assert peer.receive() == b""


def test_silence_is_watched_over() -> None:
    limits = Limits(watchdog=0.8, farewell=0.5)
    with running(limits=limits) as server, RawPeer(server.port) as peer:
        peer.introduce()
        header = codec.read_header(peer.receive(), 0, 4096)
        assert header.command == 280
        peer.send(codec.encode_dwa(MME, header))
        assert codec.read_header(peer.receive(), 0, 4096).command == 280
        peer.socket.settimeout(15)
        assert peer.receive() == b""


def test_half_open_connections_make_room_for_new_ones_and_are_closed_in_time() -> None:
    limits = Limits(unidentified=4, handshake=2.0, farewell=0.5)
    with running(limits=limits) as server:
        silent = [RawPeer(server.port) for _ in range(12)]
        with RawPeer(server.port) as peer:
            assert result_code(peer.introduce()) == 2001
            for one in silent:
                one.socket.settimeout(15)
                assert one.receive() == b""
            assert decode_answer(peer.ask(questions()[0])[20:]).status is VECTORS[0][1].status
        for one in silent:
            one.socket.close()


def test_no_more_connections_than_allowed_are_taken() -> None:
    with running(limits=Limits(connections=2, farewell=0.5)) as server:
        kept = [RawPeer(server.port), RawPeer(server.port)]
        for peer in kept:
            assert result_code(peer.introduce()) == 2001
        with RawPeer(server.port) as refused:
            assert refused.introduce() == b""
        for peer in kept:
            assert decode_answer(peer.ask(questions()[0])[20:]).status is VECTORS[0][1].status
            peer.socket.close()


def test_addresses_of_no_peer_are_closed_before_anything_is_read() -> None:
    from ipaddress import ip_network

    only = Peer(MME.host, networks=(ip_network("192.0.2.0/24"),))
    with running(peers=[only]) as server, RawPeer(server.port) as peer:
        assert peer.introduce() == b""
        assert server.service.counters.rejected == 1


def test_a_peer_that_does_not_read_is_not_read_from_and_dropped_in_time() -> None:
    limits = Limits(unsent=20_000, stalled=1.0, farewell=0.5)
    with running(limits=limits) as server, RawPeer(server.port) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.introduce()
        block = questions()[0] * 200
        peer.socket.settimeout(0.2)
        sent = 0
        deadline = time.monotonic() + 30
        with contextlib.suppress(ConnectionError):
            while server.service.counters.connected and sent < 100_000_000 and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    sent += peer.socket.send(block)
        assert sent < 100_000_000
        while server.service.counters.connected and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.service.counters.connected == {}


def test_a_server_that_falls_behind_says_so_and_recovers() -> None:
    class Slow:
        def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
            time.sleep(0.2)
            return SetChecker().verdict(imei, software_version, imsi)

    limits = Limits(lateness=0.3, farewell=0.5)
    with running(limits=limits, checker=Slow()) as server, RawPeer(server.port) as peer:
        peer.introduce()
        peer.send(b"".join(questions()[:4]))
        for _ in range(4):
            assert result_code(peer.receive()) == 2001
        # The first one can still come in ahead of the look at the clock.
        assert 3004 in (result_code(peer.ask(questions()[0])) for _ in range(10))
        deadline = time.monotonic() + 30
        while result_code(peer.ask(questions()[0])) != 2001:
            assert time.monotonic() < deadline
            time.sleep(0.3)


def test_an_address_that_is_taken_is_a_clear_error_and_nothing_is_listened_on() -> None:
    async def attempt(port: int) -> None:
        service = Service(SERVER, PEERS, SetChecker(), Limits(), time.perf_counter)
        await serve(service, [Endpoint("127.0.0.1", 0), Endpoint("127.0.0.1", port)], asyncio.Event())

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ListenError, match="Cannot listen"):
        asyncio.run(attempt(taken.getsockname()[1]))


def test_two_processes_may_share_a_port() -> None:
    with (
        running(Endpoint("127.0.0.1", 0, shared=True)) as first,
        running(Endpoint("127.0.0.1", first.port, shared=True)) as second,
    ):
        assert second.port == first.port
        with RawPeer(first.port) as peer:
            assert result_code(peer.introduce()) == 2001


def test_a_message_link_sends_one_message_at_a_time_over_any_socket_that_keeps_them_apart() -> None:
    """The link that SCTP uses, on a socket pair with the same properties that every Linux kernel has."""

    async def main() -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        there.settimeout(20)
        loop = asyncio.get_running_loop()
        service = Service(SERVER, PEERS, SetChecker(), Limits(), time.perf_counter)
        gone = asyncio.Event()
        link = MessageLink(
            here, service, loop, memoryview(bytearray(65536)), lambda _: gone.set(), ends_marked=False
        )

        def peer() -> None:
            there.send(codec.encode_cer(MME, 1, 1))
            assert result_code(there.recv(65536)) == 2001
            for message in questions():
                there.send(message)
            for _, answer in VECTORS:
                message = there.recv(65536)
                assert int.from_bytes(message[1:4], "big") == len(message)
                assert decode_answer(message[20:]).status is answer.status
            there.send(questions()[0][:-4])  # not a whole message: the link ends
            assert there.recv(65536) == b""

        await loop.run_in_executor(None, peer)
        await asyncio.wait_for(gone.wait(), 20)
        link.abort()
        there.close()
        assert service.counters.connected == {}

    asyncio.run(main())


def test_a_message_link_stops_reading_from_a_peer_that_does_not_read() -> None:
    async def main() -> None:
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        there.setblocking(False)
        loop = asyncio.get_running_loop()
        limits = Limits(unsent=2_000)
        service = Service(SERVER, PEERS, SetChecker(), limits, time.perf_counter)
        MessageLink(here, service, loop, memoryview(bytearray(65536)), lambda _: None, ends_marked=False)
        await loop.sock_sendall(there, codec.encode_cer(MME, 1, 1))
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 100_000:
                await asyncio.wait_for(loop.sock_sendall(there, questions()[0]), 0.3)
                sent += 1
        assert sent < 100_000
        got = len(await loop.sock_recv(there, 65536)) > 0
        for _ in range(sent - 1):
            got &= len(await asyncio.wait_for(loop.sock_recv(there, 65536), 20)) > 0
        assert got
        assert service.counters.answered >= sent - 1
        there.close()

    asyncio.run(main())


def test_an_sctp_endpoint_without_sctp_is_a_clear_error() -> None:
    if sctp.is_available():
        pytest.skip("the platform's kernel has SCTP")
    with pytest.raises(ListenError, match="sctp"):
        Endpoint("127.0.0.1", 0, Transport.SCTP).listen()
