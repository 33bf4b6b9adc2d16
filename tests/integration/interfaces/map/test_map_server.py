"""The server on loopback: as a peer that waits, and as an ASP towards a small signalling gateway."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking, told
from ceir.interfaces.map.association import AssociationOptions, Role
from ceir.interfaces.map.errors import TransportError
from ceir.interfaces.map.server import Connect, Listen, MapServer, Options
from ceir.interfaces.map.transport import Link, LinkLimits, Transport, open_socket, sctp_available
from ceir.interfaces.serving.workers import new_event_loop
from vectors import BLOCKED_IMEI, PERMITTED_IMEI, VECTORS, SetChecker

ASKING = Asking(routing_context=5)
LISTEN = (Listen(port=0, transport=Transport.TCP),)
CODES = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}


class Peer:
    """A peer that writes and reads whole M3UA messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *messages: bytes) -> None:
        self.writer.write(b"".join(messages))

    async def take(self) -> bytes:
        async with asyncio.timeout(20):
            head = await self.reader.readexactly(8)
            return head + await self.reader.readexactly(int.from_bytes(head[4:], "big") - 8)

    async def kind(self) -> tuple[int, int]:
        message = await self.take()
        return message[2], message[3]

    async def gone(self) -> bool:
        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                while await self.reader.read(65536):
                    pass
            return True

    async def active(self) -> None:
        self.send(m3ua.message(m3ua.ASPUP))
        assert await self.kind() == m3ua.ASPUP_ACK
        self.send(
            m3ua.message(m3ua.ASPAC, m3ua.number(m3ua.TRAFFIC_MODE, 2), m3ua.number(m3ua.ROUTING_CONTEXT, 5))
        )
        ack = await self.take()
        assert (ack[2], ack[3]) == m3ua.ASPAC_ACK
        assert m3ua.parameters(ack) == {m3ua.TRAFFIC_MODE: b"\0\0\0\2", m3ua.ROUTING_CONTEXT: b"\0\0\0\5"}


@contextlib.asynccontextmanager
async def serving(options: Options, **more: Any) -> AsyncIterator[MapServer]:
    server = MapServer(SetChecker(), options, **more)
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield server
    finally:
        stop.set()
        await running


async def peer_of(server: MapServer) -> Peer:
    return Peer(*await asyncio.open_connection("127.0.0.1", server.ports[0]))


def run(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    # The event loop of the service, which is not asyncio's own.
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(make())


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_waiting_ipsp_answers_the_shared_vectors(version: int) -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN, association=AssociationOptions(5))) as server:
            peer = await peer_of(server)
            await peer.active()
            questions = [(q, a) for q, a in VECTORS if q.imsi is None or version < 3]
            for number, (question, _) in enumerate(questions):
                sv = "" if question.software_version is None else f"{question.software_version:02d}"
                imsi = None if question.imsi is None else str(question.imsi)[1:]
                peer.send(ASKING.request(version, number, f"{question.imei:014d}{sv}", imsi=imsi))
            for number, (_, answer) in enumerate(questions):
                reply = told(await peer.take(), version)
                assert reply.transaction == number.to_bytes(4, "big")
                assert reply.status == CODES.get(answer.status)
            assert server.counters.answered == len(questions)

    run(go)


def test_messages_may_arrive_octet_by_octet() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN)) as server:
            peer = await peer_of(server)
            for octet in m3ua.message(m3ua.ASPUP) + m3ua.message(m3ua.ASPAC):
                peer.send(bytes((octet,)))
                await asyncio.sleep(0)
            assert [await peer.kind(), await peer.kind()] == [m3ua.ASPUP_ACK, m3ua.ASPAC_ACK]
            request = ASKING.request(3, 1, str(BLOCKED_IMEI))
            peer.send(request[:50])
            await asyncio.sleep(0.05)
            peer.send(request[50:])
            assert told(await peer.take(), 3).status == 1

    run(go)


def test_data_before_active_is_unexpected() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN)) as server:
            peer = await peer_of(server)
            peer.send(ASKING.request(3, 1, str(BLOCKED_IMEI)))
            error = await peer.take()
            assert m3ua.parameters(error)[m3ua.ERROR_CODE] == b"\0\0\0\6"

    run(go)


def test_hostile_streams_end_only_their_own_association() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN)) as server:
            good = await peer_of(server)
            await good.active()
            for octets in (
                b"\2" * 8,
                b"\1\0\1\1\xff\xff\xff\xff",
                b"\1\0\1\1\0\0\0\3",
                b"GET / HTTP/1.0\r\n\r\n",
            ):
                bad = await peer_of(server)
                bad.send(octets)
                assert await bad.gone()
            good.send(ASKING.request(3, 1, str(BLOCKED_IMEI)))
            assert told(await good.take(), 3).status == 1
            assert server.associations == 1

    run(go)


def test_connections_are_bounded() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN, max_connections=2)) as server:
            first, second, third = [await peer_of(server) for _ in range(3)]
            await first.active()
            await second.active()
            assert await third.gone()
            first.writer.close()
            await asyncio.sleep(0.1)
            fourth = await peer_of(server)
            await fourth.active()

    run(go)


def test_a_peer_that_never_becomes_active_is_dropped() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN, setup_timeout=0.2)) as server:
            assert await (await peer_of(server)).gone()

    run(go)


def test_a_silent_peer_is_asked_and_then_dropped() -> None:
    async def go() -> None:
        async with serving(Options(listen=LISTEN, heartbeat=0.2)) as server:
            alive = await peer_of(server)
            await alive.active()
            for _ in range(3):
                beat = await alive.take()
                assert (beat[2], beat[3]) == m3ua.BEAT
                alive.send(m3ua.message(m3ua.BEAT_ACK, beat[8:]))
            assert await alive.gone()

    run(go)


def test_a_peer_that_takes_nothing_is_dropped_and_memory_stays_bounded() -> None:
    async def go() -> None:
        limits = LinkLimits(high=65_536, low=16_384, stall=0.5)
        async with serving(Options(listen=LISTEN, limits=limits, heartbeat=1.0)) as server:
            peer = await peer_of(server)
            await peer.active()
            request = ASKING.request(3, 1, str(BLOCKED_IMEI))
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(30):
                    while server.associations:
                        peer.send(request * 200)
                        waiting = max((link.waiting for link in server._sessions), default=0)
                        assert waiting < limits.high + 200_000
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(peer.writer.drain(), 0.05)
            assert server.associations == 0

    run(go)


class Gateway:
    """A signalling gateway as far as an ASP sees one."""

    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.port = 0

    async def __aenter__(self) -> "Gateway":
        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.peers.put(Peer(reader, writer))

        self._server = await asyncio.start_server(met, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def asp(self) -> Peer:
        """The next ASP, brought to active as a gateway does it."""
        async with asyncio.timeout(20):
            peer = await self.peers.get()
        up = await peer.take()
        assert (up[2], up[3]) == m3ua.ASPUP
        assert m3ua.parameters(up) == {m3ua.ASP_IDENTIFIER: b"\0\0\0\3"}
        peer.send(m3ua.message(m3ua.ASPUP_ACK), notify(2))
        active = await peer.take()
        assert (active[2], active[3]) == m3ua.ASPAC
        assert m3ua.parameters(active) == {m3ua.TRAFFIC_MODE: b"\0\0\0\2", m3ua.ROUTING_CONTEXT: b"\0\0\0\5"}
        peer.send(m3ua.message(m3ua.ASPAC_ACK, active[8:]), notify(3))
        return peer


def notify(information: int) -> bytes:
    return m3ua.message(m3ua.NTFY, m3ua.parameter(m3ua.STATUS, bytes((0, 1, 0, information))))


def towards(gateway: Gateway, role: Role = Role.ASP) -> Options:
    return Options(
        connect=(Connect("127.0.0.1", gateway.port, Transport.TCP, role),),
        association=AssociationOptions(routing_context=5, traffic_mode=2, asp_identifier=3),
        reconnect_first=0.05,
        reconnect_last=0.2,
    )


def test_an_asp_becomes_active_answers_and_takes_leave() -> None:
    async def go() -> None:
        async with Gateway() as gateway:
            async with serving(towards(gateway)):
                peer = await gateway.asp()
                for number in range(100):
                    peer.send(ASKING.request(3, number, str(BLOCKED_IMEI if number % 2 else PERMITTED_IMEI)))
                for number in range(100):
                    assert told(await peer.take(), 3).status == number % 2
            assert [await peer.kind(), await peer.kind()] == [m3ua.ASPIA, m3ua.ASPDN]

    run(go)


def test_an_asp_comes_back_after_its_gateway_went() -> None:
    async def go() -> None:
        gateway = Gateway()
        async with gateway, serving(towards(gateway)) as server:
            peer = await gateway.asp()
            peer.writer.close()
            again = await gateway.asp()
            again.send(ASKING.request(2, 1, str(BLOCKED_IMEI)))
            assert told(await again.take(), 2).status == 1
            assert server.active == 1

    run(go)


def test_an_asp_goes_on_trying_while_nobody_listens() -> None:
    async def go() -> None:
        events: list[str] = []
        gateway = Gateway()
        async with gateway:
            options = towards(gateway)
        async with serving(options, tell=lambda event, _fields: events.append(event)):
            async with asyncio.timeout(20):
                while events.count("association_failed") < 2:
                    await asyncio.sleep(0.01)
            async with gateway:
                await gateway.asp()

    run(go)


def test_a_gateway_that_reports_a_destination_unavailable_gets_no_data_for_it() -> None:
    async def go() -> None:
        async with Gateway() as gateway, serving(towards(gateway)):
            peer = await gateway.asp()
            affected = m3ua.parameter(m3ua.AFFECTED_POINT_CODE, b"\0\0\0\1")
            peer.send(m3ua.message(m3ua.DUNA, affected), ASKING.request(2, 1, str(BLOCKED_IMEI)))
            peer.send(m3ua.message(m3ua.DAVA, affected), ASKING.request(2, 2, str(BLOCKED_IMEI)))
            assert told(await peer.take(), 2).transaction == b"\0\0\0\2"

    run(go)


def test_two_of_ours_talk_as_ipsp_to_each_other() -> None:
    async def go() -> None:
        association = AssociationOptions(5, traffic_mode=2)
        async with serving(Options(listen=LISTEN, association=association)) as waiting:
            connect = (Connect("127.0.0.1", waiting.ports[0], Transport.TCP, Role.IPSP_CLIENT),)
            async with serving(Options(connect=connect, association=association)) as beginning:
                async with asyncio.timeout(20):
                    while not (waiting.active and beginning.active):
                        await asyncio.sleep(0.01)
            async with asyncio.timeout(20):
                while waiting.associations:
                    await asyncio.sleep(0.01)

    run(go)


def test_a_message_oriented_transport_carries_one_message_a_send() -> None:
    async def go() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        closed: list[str] = []
        one, two = m3ua.message(m3ua.ASPUP_ACK), m3ua.message(m3ua.ASPAC_ACK)
        link = Link(
            ours,
            lambda _link, messages: [one, two] * len(messages),
            lambda _link, reason: closed.append(reason),
            LinkLimits(),
            asyncio.get_running_loop(),
        )
        link.start()
        theirs.send(m3ua.message(m3ua.ASPUP))
        await asyncio.sleep(0.05)
        assert [theirs.recv(4096), theirs.recv(4096)] == [one, two]
        # Far more than the socket holds: everything comes, in order, still one message a send.
        link.send([one, two] * 2000)
        assert link.waiting
        theirs.setblocking(False)
        got = 0
        async with asyncio.timeout(10):
            while got < 4000:
                try:
                    assert theirs.recv(4096) == (one, two)[got % 2]
                    got += 1
                except BlockingIOError:
                    await asyncio.sleep(0)
        assert not link.waiting
        theirs.close()
        await asyncio.sleep(0.05)
        assert closed == ["the peer closed"]

    run(go)


@pytest.mark.skipif(sctp_available(), reason="the platform's kernel has SCTP")
def test_without_sctp_the_refusal_says_what_to_do() -> None:
    with pytest.raises(TransportError, match="TCP"):
        open_socket(Transport.SCTP)
