"""The S13 server: listens on TCP, TLS and SCTP and looks after the connections."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Final

from ceir.errors import CeirError
from ceir.interfaces.s13 import sctp
from ceir.interfaces.s13.conversation import Service, State
from ceir.interfaces.s13.links import BUFFER_SIZE, Link, MessageLink, StreamLink, address_of

DIAMETER_PORT: Final = 3868
DIAMETER_TLS_PORT: Final = 5868

_BACKLOG: Final = 256
_PERIOD: Final = 0.25


class Transport(Enum):
    """What carries the messages."""

    TCP = "tcp"
    TLS = "tls"
    SCTP = "sctp"


class ListenError(CeirError):
    """An endpoint cannot be listened on."""

    code: ClassVar[str] = "s13_listen"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen.

    Args:
        host: an address of this machine.
        port: 0: any free one.
        tls: for TLS only; with `verify_mode` CERT_REQUIRED, peers must show a certificate that names them.
        shared: several processes may listen on it, the kernel spreads the connections.
    """

    host: str
    port: int = DIAMETER_PORT
    transport: Transport = Transport.TCP
    tls: ssl.SSLContext | None = None
    shared: bool = False

    def __post_init__(self) -> None:
        if (self.transport is Transport.TLS) != (self.tls is not None):
            raise ListenError(
                "A TLS endpoint needs certificates, and another one takes none.", "Set the transport to TLS."
            )

    def listen(self) -> socket.socket:
        """A listening socket.

        Raises:
            ListenError: the address is taken or not ours, or the kernel has no SCTP.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        made: socket.socket | None = None
        try:
            made = (
                sctp.sctp_socket(family)
                if self.transport is Transport.SCTP
                else socket.socket(family, socket.SOCK_STREAM)
            )
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.shared:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind((self.host, self.port))
            made.listen(_BACKLOG)
            made.setblocking(False)
        except OSError as error:
            if made is not None:
                made.close()
            raise ListenError(
                f"Cannot listen on {self.transport.value} {self.host} port {self.port}: {error.strerror}.",
                "Choose another address, or use tcp where the kernel has no SCTP.",
            ) from error
        return made


class Server:
    """Accepts connections and keeps them within their limits."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._loop = asyncio.get_running_loop()
        self._view = memoryview(bytearray(BUFFER_SIZE))
        self._links: dict[Link, None] = {}
        self._unidentified: dict[object, Callable[[], object]] = {}
        self._greeting: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()

    @property
    def connections(self) -> int:
        """Connections at this time, TLS handshakes among them."""
        return len(self._links) + len(self._greeting)

    async def run(self, listeners: Sequence[tuple[Endpoint, socket.socket]], stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then takes leave of every peer and returns."""
        tasks = [self._loop.create_task(self._accept(endpoint, made)) for endpoint, made in listeners]
        keeper = self._loop.create_task(self._keep())
        try:
            await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for _, made in listeners:
                made.close()
            for greeting in list(self._greeting):
                greeting.cancel()
            try:
                await self._take_leave()
            finally:
                keeper.cancel()
                for link in list(self._links):
                    link.abort()
                await asyncio.sleep(0)

    async def _take_leave(self) -> None:
        now = self._loop.time()
        for link in list(self._links):
            link.leave(now)
        deadline = now + 2 * self.service.limits.farewell + 2 * _PERIOD
        while self._links and self._loop.time() < deadline:
            self._gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), deadline - self._loop.time())

    async def _keep(self) -> None:
        """Watches over time: watchdogs, deadlines, and whether the event loop keeps up."""
        limits = self.service.limits
        while True:
            due = self._loop.time() + _PERIOD
            await asyncio.sleep(_PERIOD)
            now = self._loop.time()
            self.service.overloaded = now - due > limits.lateness
            for link in list(self._links):
                try:
                    link.tick(now)
                except Exception:  # noqa: BLE001 - one connection's fault must not end the watch over the others
                    self.service.counters.failures += 1
                    link.abort()
                if link.conversation.state is not State.EXPECTING:
                    self._unidentified.pop(link, None)

    async def _accept(self, endpoint: Endpoint, listener: socket.socket) -> None:
        while True:
            try:
                connection, name = await self._loop.sock_accept(listener)
            except OSError:  # out of descriptors, or the peer has gone again
                await asyncio.sleep(0.05)
                continue
            if not self._make_room(name):
                self.service.counters.rejected += 1
                connection.close()
                continue
            if endpoint.transport is Transport.SCTP:
                self._take_messages(connection)
            else:
                task = self._loop.create_task(self._take_stream(connection, endpoint.tls))
                self._greeting.add(task)
                self._unidentified[task] = task.cancel
                task.add_done_callback(partial(self._greeted, connection))

    def _make_room(self, name: Any) -> bool:
        """Whether one more may come; the one that has been silent longest goes for it if need be."""
        service = self.service
        known = [*service.peers.values(), *([service.welcome] if service.welcome else [])]
        networks = [network for peer in known for network in peer.networks]
        address = address_of(name)
        if all(peer.networks for peer in known) and not any(address in network for network in networks):
            return False
        if self.connections >= service.limits.connections:
            return False
        for link in [one for one in self._unidentified if isinstance(one, StreamLink | MessageLink)]:
            if link.conversation.state is not State.EXPECTING:
                del self._unidentified[link]
        if len(self._unidentified) >= service.limits.unidentified:
            self._unidentified.pop(next(iter(self._unidentified)))()
        return True

    def _greeted(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            connection.close()
        self._greeting.discard(task)
        self._unidentified.pop(task, None)

    async def _take_stream(self, connection: socket.socket, tls: ssl.SSLContext | None) -> None:
        def made() -> StreamLink:
            return StreamLink(self.service, self._loop, self._view, self._opened, self._closed)

        try:
            await self._loop.connect_accepted_socket(
                made,
                connection,
                ssl=tls,
                ssl_handshake_timeout=self.service.limits.handshake if tls else None,
            )
        except (OSError, TimeoutError):  # a handshake that failed: ssl.SSLError is an OSError
            self.service.counters.rejected += 1
            connection.close()

    def _take_messages(self, connection: socket.socket) -> None:
        try:
            sctp.mark(connection)
        except OSError:  # gone already
            connection.close()
            return
        self._opened(MessageLink(connection, self.service, self._loop, self._view, self._closed))

    def _opened(self, link: Link) -> None:
        self._links[link] = None
        self._unidentified[link] = link.abort

    def _closed(self, link: Link) -> None:
        self._links.pop(link, None)
        self._unidentified.pop(link, None)
        if not self._links:
            self._gone.set()


async def serve(
    service: Service,
    endpoints: Sequence[Endpoint],
    stop: asyncio.Event,
    started: Callable[[list[int]], None] | None = None,
) -> None:
    """Answers on all endpoints until `stop` is set; then disconnects from every peer and returns.

    Args:
        started: told the ports, in the order of the endpoints, once connections are taken.

    Raises:
        ListenError: an endpoint cannot be listened on; none is then.
    """
    listeners: list[tuple[Endpoint, socket.socket]] = []
    try:
        for endpoint in endpoints:
            listeners.append((endpoint, endpoint.listen()))
    except ListenError:
        for _, made in listeners:
            made.close()
        raise
    server = Server(service)
    if started is not None:
        started([made.getsockname()[1] for _, made in listeners])
    await server.run(listeners, stop)
