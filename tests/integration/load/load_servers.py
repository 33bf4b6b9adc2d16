"""The real servers on loopback, with the shared answers, each in a thread of its own."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal

from ceir.equipment_check import Checker
from ceir.interfaces.map.association import AssociationOptions
from ceir.interfaces.map.server import Listen as MapListen
from ceir.interfaces.map.server import MapServer, Options
from ceir.interfaces.map.transport import Transport as MapTransport
from ceir.interfaces.n17.authorization import Authorizer
from ceir.interfaces.n17.problems import Problem
from ceir.interfaces.n17.server import N17Server
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from ceir.interfaces.s13.server import Endpoint, Transport, serve
from ceir.interfaces.serving.http import Listen, Tls
from ceir.interfaces.serving.workers import new_event_loop
from vectors import SetChecker

Interface = Literal["n17", "s13", "map"]

EIR = Node("eir.example.org", "example.org")
ASKER = Node("load-test.localdomain", "localdomain")
ROUTING_CONTEXT = 5

Main = Callable[[asyncio.Event, Callable[[int], None]], Coroutine[Any, Any, None]]


@contextlib.contextmanager
def thread(main: Main) -> Iterator[int]:
    """Runs a server until the test is done; gives its port."""
    started = threading.Event()
    ports: list[int] = []
    held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def body() -> None:
        stop = asyncio.Event()
        held.append((asyncio.get_running_loop(), stop))

        def begun(port: int) -> None:
            ports.append(port)
            started.set()

        await main(stop, begun)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(body())
        finally:
            started.set()

    served = threading.Thread(target=run)
    served.start()
    try:
        assert started.wait(20)
        assert ports, "the server did not begin"
        yield ports[0]
    finally:
        loop, stop = held[0]
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)
        served.join(30)
        assert not served.is_alive()


def serving(
    interface: Interface,
    checker: Checker | None = None,
    *,
    tls: tuple[Path, Path] | None = None,
    sctp: bool = False,
    gate: Callable[[], Problem | None] | None = None,
    authorizer: Authorizer | None = None,
    limits: Limits | None = None,
) -> contextlib.AbstractContextManager[int]:
    """A server of the interface.

    Args:
        tls: certificate and key.
        sctp: S13 and MAP.
        gate, authorizer: N17.
        limits: S13.
    """
    checker = checker or SetChecker()

    async def s13(stop: asyncio.Event, begun: Callable[[int], None]) -> None:
        context = None
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
        service = Service(EIR, [Peer(ASKER.host)], checker, limits or Limits(farewell=1), time.perf_counter)
        plain = Transport.SCTP if sctp else Transport.TCP
        endpoint = Endpoint("127.0.0.1", 0, Transport.TLS if tls else plain, context)
        await serve(service, [endpoint], stop, lambda ports: begun(ports[0]))

    async def map_(stop: asyncio.Event, begun: Callable[[int], None]) -> None:
        listen = (MapListen(port=0, transport=MapTransport.SCTP if sctp else MapTransport.TCP),)
        server = MapServer(checker, Options(listen=listen, association=AssociationOptions(ROUTING_CONTEXT)))
        running = asyncio.create_task(server.run(stop))
        await server.ready.wait()
        begun(server.ports[0])
        await running

    async def n17(stop: asyncio.Event, begun: Callable[[int], None]) -> None:
        port = free_port()
        server = N17Server(
            checker,
            Listen("127.0.0.1", port, Tls(*tls) if tls else None),
            gate=gate,
            authorizer=authorizer,
        )
        running = asyncio.create_task(server.serve(stop))
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            assert not running.done()
            await asyncio.sleep(0.05)
        begun(port)
        await running

    return thread({"s13": s13, "map": map_, "n17": n17}[interface])


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
