"""Each load client against the real server: every answer counted by what it says, every failure told."""

import asyncio
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
from certificates import localhost_certificate
from load_servers import ASKER, EIR, ROUTING_CONTEXT, Interface, free_port, serving, thread

from ceir.equipment_check import Answer, Question
from ceir.interfaces.load import LoadReport, PeerRefusedError, Plan, UnreachableError, put_load
from ceir.interfaces.load.putting import Connect
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.load import MapLoad
from ceir.interfaces.map.transport import Transport as MapTransport
from ceir.interfaces.map.transport import sctp_available
from ceir.interfaces.n17.authorization import Authorizer, TokenTerms, VerificationKey
from ceir.interfaces.n17.load import N17Load
from ceir.interfaces.n17.overload import RateLimit
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits
from ceir.interfaces.s13.load import S13Load
from ceir.interfaces.s13.server import Transport
from ceir.interfaces.serving.workers import new_event_loop
from vectors import VECTORS, SetChecker

INTERFACES: list[Interface] = ["n17", "s13", "map"]
QUESTIONS = [question for question, _ in VECTORS]
OF_INTERFACE: dict[Interface, list[tuple[Question, Answer]]] = {
    "n17": VECTORS,
    "s13": VECTORS,
    # Version 3 of CheckIMEI tells no subscriber.
    "map": [
        (question._replace(imsi=None), SetChecker().verdict(*question[:2], None)) for question in QUESTIONS
    ],
}


def connecting(
    interface: Interface,
    port: int,
    plan: Plan,
    *,
    node: Node = ASKER,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    routing_context: int = ROUTING_CONTEXT,
) -> Connect:
    clock = time.perf_counter
    if interface == "s13":
        transport = Transport.TLS if tls else Transport.TCP
        load = S13Load(node, QUESTIONS, host, port, plan.window, plan.connections, clock, transport, tls)
        return load.connect
    if interface == "n17":
        return N17Load(QUESTIONS, host, port, plan.window, clock, tls).connect
    asking = Asking(routing_context=routing_context)
    return MapLoad(
        QUESTIONS, host, port, plan.window, clock, MapTransport.TCP, (3,), asking, plan.wait
    ).connect


def put(connect: Connect, plan: Plan) -> LoadReport:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(put_load(connect, plan))


def expected(interface: Interface, count: int) -> Counter[str]:
    """So many questions in turn, answered as the vectors say."""
    vectors = OF_INTERFACE[interface]
    return Counter(vectors[number % len(vectors)][1].status.value for number in range(count))


@pytest.mark.parametrize("interface", INTERFACES)
def test_requests_at_their_times_are_all_answered_and_counted_by_status(interface: Interface) -> None:
    plan = Plan(1.0, rate=340, connections=2, window=64, wait=20)
    with serving(interface) as port:
        report = put(connecting(interface, port, plan), plan)
    assert (report.due, report.sent, report.answered) == (340, 340, 340)
    assert report.errors == {}
    assert report.closed == 0
    assert report.outcomes == expected(interface, 340)
    assert all(one.is_clean and one.sent > 100 for one in report.connections)
    assert list(report.percentiles) == [50, 90, 99, 99.9, 100]
    assert sorted(report.percentiles.values()) == list(report.percentiles.values())
    assert report.percentiles[50] > 0


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_flood_keeps_windows_full_and_loses_nothing(interface: Interface) -> None:
    plan = Plan(0.4, connections=3, window=48, wait=20)
    with serving(interface) as port:
        report = put(connecting(interface, port, plan), plan)
    assert report.sent == report.answered > 3 * 48
    assert report.errors == {}
    assert report.outcomes == expected(interface, report.sent)


@pytest.mark.parametrize("version", [1, 2])
def test_the_older_map_operations_tell_the_subscriber(version: int) -> None:
    plan = Plan(0.2, rate=len(VECTORS) * 10, wait=20)
    with serving("map") as port:
        load = MapLoad(
            QUESTIONS, "127.0.0.1", port, 64, time.perf_counter, MapTransport.TCP, (version,), Asking()
        )
        report = put(load.connect, plan)
    assert report.errors == {}
    assert report.outcomes == expected("s13", report.sent)


def test_map_versions_are_asked_in_turn() -> None:
    plan = Plan(0.5, rate=len(VECTORS) * 6, wait=20)
    with serving("map") as port:
        load = MapLoad(
            QUESTIONS, "127.0.0.1", port, 64, time.perf_counter, MapTransport.TCP, (1, 2, 3), Asking()
        )
        report = put(load.connect, plan)
    assert report.errors == {}
    assert report.outcomes == expected("s13", 2 * len(VECTORS)) + expected("map", len(VECTORS))


@pytest.mark.parametrize("interface", ["n17", "s13"])
def test_the_load_goes_over_tls(interface: Interface, tmp_path: Path) -> None:
    files = localhost_certificate(tmp_path)
    plan = Plan(0.5, rate=200, connections=2, wait=20)
    with serving(interface, tls=(files.certificate, files.key)) as port:
        tls = ssl.create_default_context(cafile=files.authority)
        report = put(connecting(interface, port, plan, tls=tls, host="localhost"), plan)
        assert report.outcomes == expected(interface, 100)
        assert report.errors == {}
        stranger = ssl.create_default_context()
        with pytest.raises(UnreachableError, match="TLS could not be agreed on"):
            put(connecting(interface, port, plan, tls=stranger, host="localhost"), plan)


@pytest.mark.skipif(not sctp_available(), reason="this kernel has no SCTP")
@pytest.mark.parametrize("interface", ["s13", "map"])
def test_the_load_goes_over_sctp(interface: Interface) -> None:
    plan = Plan(0.5, rate=340, connections=2, wait=20)
    with serving(interface, sctp=True) as port:
        load: S13Load | MapLoad
        if interface == "s13":
            load = S13Load(ASKER, QUESTIONS, "127.0.0.1", port, 64, 2, time.perf_counter, Transport.SCTP)
        else:
            load = MapLoad(QUESTIONS, "127.0.0.1", port, 64, time.perf_counter, MapTransport.SCTP)
        report = put(load.connect, plan)
        flood = put(load.connect, Plan(0.3, window=64, wait=20))
    assert report.errors == flood.errors == {}
    assert report.outcomes == expected(interface, 170)
    assert flood.answered > 64


# --- failures


@pytest.mark.parametrize("interface", INTERFACES)
def test_nobody_listening_is_told(interface: Interface) -> None:
    plan = Plan(1)
    with pytest.raises(UnreachableError) as told:
        put(connecting(interface, free_port(), plan), plan)
    assert told.value.code == "load_unreachable"
    assert told.value.hint


@contextmanager
def answering(reply: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that is none: does something with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        over = threading.Event()

        def run() -> None:
            held = []
            while not over.is_set():
                try:
                    made, _ = listener.accept()
                except TimeoutError:
                    continue
                held.append(made)
                reply(made)
            for made in held:
                made.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            over.set()
            thread.join(10)


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_server_that_says_nothing_is_given_up(interface: Interface) -> None:
    plan = Plan(1, wait=0.3)
    with answering(lambda _: None) as port, pytest.raises(UnreachableError, match=r"0\.3 seconds"):
        put(connecting(interface, port, plan), plan)


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_server_that_closes_at_once_refuses(interface: Interface) -> None:
    plan = Plan(1, wait=20)

    def close(made: socket.socket) -> None:
        made.recv(10_000)
        made.shutdown(socket.SHUT_RDWR)

    with answering(close) as port, pytest.raises(PeerRefusedError, match="closed") as told:
        put(connecting(interface, port, plan), plan)
    assert told.value.code == "load_peer_refused"
    assert told.value.hint


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_server_of_something_else_refuses(interface: Interface) -> None:
    plan = Plan(1, wait=20)
    other = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"

    def talk(made: socket.socket) -> None:
        made.sendall(other)
        made.shutdown(socket.SHUT_WR)

    with answering(talk) as port, pytest.raises(PeerRefusedError):
        put(connecting(interface, port, plan), plan)


def test_a_diameter_server_that_does_not_know_us_says_so() -> None:
    plan = Plan(1, wait=20)
    stranger = Node("stranger.example.org", "example.org")
    with serving("s13") as port, pytest.raises(PeerRefusedError, match="3010"):
        put(connecting("s13", port, plan, node=stranger), plan)


def test_a_map_server_of_another_routing_context_says_so() -> None:
    plan = Plan(1, wait=20)
    with serving("map") as port, pytest.raises(PeerRefusedError, match="M3UA error 25"):
        put(connecting("map", port, plan, routing_context=6), plan)


def test_a_request_that_is_refused_counts_by_its_result_code() -> None:
    plan = Plan(0.2, rate=100, wait=20)
    with serving("s13") as port:
        load = S13Load(
            ASKER, QUESTIONS, "127.0.0.1", port, 64, 1, time.perf_counter, realm="elsewhere.example.org"
        )
        report = put(load.connect, plan)
    assert report.outcomes == {}
    assert report.errors == {"result 3003": 20}
    assert report.answered == 20
    assert not report.connections[0].is_clean


def test_an_http_refusal_counts_by_its_status_and_cause() -> None:
    plan = Plan(0.5, rate=100, wait=20)
    with serving("n17", gate=RateLimit(1, 5, lambda: 0.0)) as port:
        report = put(connecting("n17", port, plan), plan)
    assert sum(report.outcomes.values()) == 5
    assert report.errors == {"http 429 NF_CONGESTION_RISK": 45}


def test_an_access_token_is_shown_and_its_absence_counts() -> None:
    import jwt
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    terms = TokenTerms([VerificationKey(key.public_key(), "ES256")])
    claims = {
        "iss": "nrf",
        "sub": "amf",
        "aud": "5G_EIR",
        "scope": "n5g-eir-eic",
        "exp": int(time.time()) + 600,
    }
    token = jwt.encode(claims, key, algorithm="ES256")
    plan = Plan(0.2, rate=170, wait=20)
    with serving("n17", authorizer=Authorizer(terms, time.time)) as port:
        load = partial(N17Load, QUESTIONS, "127.0.0.1", port, 64, time.perf_counter)
        assert put(load().connect, plan).errors == {"http 401": 34}
        report = put(load(token=token).connect, plan)
    assert report.errors == {}
    assert report.outcomes == expected("n17", 34)


class Slow:
    """Takes so long that requests pile up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers = SetChecker()

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        time.sleep(self._seconds)
        return self._answers.verdict(imei, software_version, imsi)


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_server_that_stalls_is_not_spared_the_requests_that_had_to_wait(interface: Interface) -> None:
    """Each takes 20 ms and one is due every 10: the last of 50 waits half a second, whenever it is sent."""
    plan = Plan(0.5, rate=100, connections=1, window=1, wait=20)
    limits = Limits(farewell=1, lateness=30)
    with serving(interface, Slow(0.02), limits=limits) as port:
        report = put(connecting(interface, port, plan), plan)
    assert report.errors == {}
    assert report.percentiles[100] > 0.45
    assert 0.15 < report.percentiles[50] < report.percentiles[90]


@pytest.mark.parametrize("interface", INTERFACES)
def test_requests_without_an_answer_are_told(interface: Interface) -> None:
    plan = Plan(0.3, rate=30, connections=1, window=2, wait=0.3)
    with serving(interface, Slow(1.0), limits=Limits(farewell=1, lateness=30)) as port:
        report = put(connecting(interface, port, plan), plan)
    assert report.errors["no answer"] + report.errors.get("not sent", 0) == 9 - report.answered
    assert report.sent <= 2 + report.answered


@contextmanager
def cutting(port: int, number: int, seconds: float) -> Iterator[int]:
    """A way to the server on which one connection breaks some time after all are there.

    Args:
        number: which of them, from 0; the last one starts the clock.
    """

    async def main(stop: asyncio.Event, begun: Callable[[int], None]) -> None:
        way: list[asyncio.StreamWriter] = []

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            way.append(writer)
            if len(way) == 3:
                asyncio.get_running_loop().call_later(seconds, way[number].transport.abort)
            await asyncio.gather(pump(reader, back), pump(there, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        begun(server.sockets[0].getsockname()[1])
        await stop.wait()
        server.close()
        for writer in way:
            writer.transport.abort()

    with thread(main) as made:
        yield made


@pytest.mark.parametrize("interface", INTERFACES)
def test_one_connection_may_break_and_the_others_go_on_without_an_error(interface: Interface) -> None:
    plan = Plan(1.5, rate=400, connections=3, wait=20)
    with serving(interface) as port, cutting(port, 1, 0.5) as cut:
        report = put(connecting(interface, cut, plan), plan)
    assert [one.closed for one in report.connections] == [False, True, False]
    assert report.closed == 1
    assert report.connections[0].is_clean
    assert report.connections[2].is_clean
    assert report.sent == 600
    assert report.connections[0].sent > 200 > report.connections[1].sent
    lost = report.connections[1].sent - report.connections[1].answered
    assert report.errors == ({"no answer": lost} if lost else {})


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_load_ends_when_all_connections_are_gone(interface: Interface) -> None:
    plan = Plan(600, rate=400, connections=1, wait=20)
    with serving(interface) as port:

        def close(made: socket.socket) -> None:
            """Answers the first messages only."""
            with socket.create_connection(("127.0.0.1", port)) as inner:
                inner.settimeout(1)
                for _ in range(2):
                    inner.sendall(made.recv(65536))
                    with suppress(TimeoutError):
                        made.sendall(inner.recv(65536))
            made.shutdown(socket.SHUT_RDWR)

        with answering(close) as cut:
            report = put(connecting(interface, cut, plan), plan)
    assert report.closed == 1
    assert report.seconds < 60
    assert report.errors["not sent"] > 200_000


def test_the_realm_of_a_diameter_server_is_learnt_from_it() -> None:
    assert ASKER.realm != EIR.realm, "or the next line would show nothing"
    plan = Plan(0.2, rate=85, wait=20)
    with serving("s13") as port:
        assert put(connecting("s13", port, plan), plan).outcomes == expected("s13", 17)
