"""The GSUP server on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.server import GsupServer, Options
from ceir.interfaces.serving.workers import new_event_loop
from vectors import BLOCKED_IMEI, PAIRED_IMEI, TRACKED_IMEI, UNKNOWN_IMEI, SetChecker

IMSI = "001010123456789"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def serving(options: Options) -> AsyncIterator[GsupServer]:
    server = GsupServer(SetChecker(), options)
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    await server.ready.wait()
    try:
        yield server
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running


async def frame(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        head = await reader.readexactly(3)
        return head[2:] + await reader.readexactly(head[0] << 8 | head[1])


async def met(server: GsupServer) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert (await frame(reader))[:2] == b"\xfe\x04"
    writer.write(codec.frame(0xFE, b"\x05\x00\x05\x01MSC\0"))
    assert await frame(reader) == b"\xfe\x06"
    return reader, writer


def run(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    # The event loop of the service, which is not asyncio's own.
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(make())


def result(answer: bytes) -> tuple[int, bytes]:
    return answer[2], dict(codec.elements(answer[2:]))[codec.IMEI_RESULT_IE]


def test_yes_and_no() -> None:
    async def go() -> None:
        async with serving(Options(port=0, accept_unknown=False)) as server:
            reader, writer = await met(server)
            for imei, verdict in (
                (BLOCKED_IMEI, 1),
                (TRACKED_IMEI, 0),
                (UNKNOWN_IMEI, 1),
                (PAIRED_IMEI, 0),
            ):
                writer.write(codec.ask(str(imei), IMSI))
                assert result(await frame(reader)) == (0x32, bytes((verdict,)))

    run(go)


def test_a_ping_is_answered_between_requests() -> None:
    async def go() -> None:
        async with serving(Options(port=0)) as server:
            reader, writer = await met(server)
            writer.write(
                codec.ask(str(BLOCKED_IMEI), IMSI) + codec.frame(0xFE, b"\0") + codec.ask("9" * 14, IMSI)
            )
            assert result(await frame(reader)) == (0x32, b"\1")
            assert await frame(reader) == b"\xfe\x01"
            assert result(await frame(reader)) == (0x32, b"\0")

    run(go)


def test_a_silent_peer_is_pinged_and_then_dropped() -> None:
    async def go() -> None:
        async with serving(Options(port=0, idle_timeout=0.2)) as server:
            reader, _ = await met(server)
            assert await frame(reader) == b"\xfe\x00"
            async with asyncio.timeout(20):
                assert await reader.read() == b""
            assert server.connections == 0

    run(go)


def test_connections_and_frames_are_bounded() -> None:
    async def go() -> None:
        async with serving(Options(port=0, max_connections=1)) as server:
            reader, writer = await met(server)
            other, _ = await asyncio.open_connection("127.0.0.1", server.port)
            async with asyncio.timeout(20):
                with contextlib.suppress(ConnectionError):
                    assert await other.read() == b""
            writer.write(b"\xff\xff\xee")
            async with asyncio.timeout(20):
                assert await reader.read() == b""

    run(go)
