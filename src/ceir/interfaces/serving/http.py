"""An RSGI application behind a Granian listener, inside the event loop of the process that serves."""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

from granian.constants import HTTPModes, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.embed import Server

from ceir.errors import CeirError
from ceir.interfaces.serving.silence import close_silent_connections

_SHUTDOWN_SECONDS = 10
_SMALLEST_BUFFER = 8192
"""The HTTP/1 parser below refuses to work with less."""


class ListenError(CeirError):
    """The server could not listen, or ceased to."""

    code: ClassVar[str] = "listen_failed"


class HttpVersions(Enum):
    """What a listener speaks in clear text; with TLS, ALPN chooses among the same."""

    BOTH = HTTPModes.auto
    ONLY_1 = HTTPModes.http1
    ONLY_2 = HTTPModes.http2


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key of a listener, both PEM files.

    Args:
        client_authorities: when given, a client must show a certificate of one of these.
        tls12: also accept TLS 1.2, which TS 33.210 still allows.
    """

    certificate: Path
    key: Path
    client_authorities: Path | None = None
    tls12: bool = True


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen; several processes may listen on one port, the kernel spreads connections."""

    host: str
    port: int
    tls: Tls | None = None
    versions: HttpVersions = HttpVersions.BOTH


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one process bears.

    Args:
        connections: open at a time; further ones wait in the kernel's queue.
        streams: requests under way on one HTTP/2 connection.
        header_bytes: all header fields of a request together; at least 8192 in effect on HTTP/1.
        header_seconds: for an HTTP/1 request's header to arrive whole; also the longest pause between two.
        ping_seconds: HTTP/2 connections are asked after so much silence whether they live.
        silence_seconds: a connection from which nothing came for so long, not even an answer to a ping, is
            closed; more than `ping_seconds`.
        drain_seconds: when stopping, a connection is closed after so much silence.
        backlog: length of the kernel's queue.
    """

    connections: int = 1024
    streams: int = 256
    header_bytes: int = 16384
    header_seconds: float = 10
    ping_seconds: float = 15
    silence_seconds: float = 40
    drain_seconds: float = 0.5
    backlog: int = 1024


async def serve_rsgi(application: object, listen: Listen, limits: HttpLimits, stop: asyncio.Event) -> None:
    """Serves the application until `stop` is set, then lets requests under way finish.

    Args:
        application: has a coroutine method `__rsgi__(scope, transport)`.
        listen: address, port, TLS, versions.
        limits: bounds.
        stop: when set, no connection is accepted any more.

    Raises:
        ListenError: the address cannot be had, TLS files cannot be used, or the server ended by itself.
    """
    try:
        server = _server(application, listen, limits)
    except (OSError, ValueError) as problem:
        raise _refused(listen, problem) from problem
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stop.wait())
    watching = asyncio.ensure_future(
        close_silent_connections(listen.port, limits.silence_seconds, limits.silence_seconds / 4)
    )
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            ended_by = serving.exception()
            raise _refused(listen, ended_by) from ended_by
        server.stop()  # type: ignore[no-untyped-call]
        watching.cancel()
        # Clients were told to go elsewhere; those that only keep a connection open would delay the end.
        watching = asyncio.ensure_future(
            close_silent_connections(listen.port, limits.drain_seconds, limits.drain_seconds / 5)
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, _SHUTDOWN_SECONDS)
    finally:
        for task in (serving, stopping, watching):
            task.cancel()
        await asyncio.gather(serving, stopping, watching, return_exceptions=True)


def _refused(listen: Listen, problem: BaseException | None) -> ListenError:
    reason = type(problem).__name__ if problem is not None else "it ended by itself"
    return ListenError(
        f"The server on {listen.host} port {listen.port} does not run: {reason}.",
        "Look whether another program holds the port and whether certificate and key can be read.",
    )


def _server(application: object, listen: Listen, limits: HttpLimits) -> Server:
    tls: dict[str, Any] = {}
    if listen.tls is not None:
        tls = {
            "ssl_cert": listen.tls.certificate,
            "ssl_key": listen.tls.key,
            "ssl_ca": listen.tls.client_authorities,
            "ssl_client_verify": listen.tls.client_authorities is not None,
            "ssl_protocol_min": SSLProtocols.tls12 if listen.tls.tls12 else SSLProtocols.tls13,
        }
    server = Server(
        application,
        address=listen.host,
        port=listen.port,
        http=listen.versions.value,
        websockets=False,
        backlog=limits.backlog,
        backpressure=limits.connections,
        log_enabled=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=int(limits.header_seconds * 1000),
            max_buffer_size=max(_SMALLEST_BUFFER, limits.header_bytes),
        ),
        http2_settings=HTTP2Settings(
            max_concurrent_streams=limits.streams,
            max_headers_size=limits.header_bytes,
            keep_alive_interval=int(limits.ping_seconds * 1000),
            keep_alive_timeout=int(limits.ping_seconds),
        ),
        **tls,
    )
    server.workers_kill_timeout = _SHUTDOWN_SECONDS
    return server
