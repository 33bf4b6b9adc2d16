"""What SCTP costs next to TCP: the same questions to the same S13 and MAP servers over both, in turn.

Usage: sctp.py [questions]. Where the kernel has no SCTP, all of it runs in the guest of tests/guest.py, whose
processor is emulated: there only ratios say something. Over SCTP each question is a message of its own, as
the standards ask; over TCP the client writes all of a window at once.
"""

import asyncio
import os
import resource
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

import guest
from ceir.interfaces.map import m3ua
from ceir.interfaces.map import server as map_server
from ceir.interfaces.map import transport as map_transport
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.s13 import codec, sctp
from ceir.interfaces.s13 import server as s13_server
from ceir.interfaces.s13.asking import Asked, encode_check
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from vectors import VECTORS, SetChecker

EIR, MME = Node("eir.example.org", "example.org"), Node("mme.example.org", "example.org")
WINDOWS, ROUNDS = (64, 1), 3
SCTP_NODELAY = 3
Serve = Callable[[asyncio.Event, Callable[[int], None]], Awaitable[None]]


class Interface(NamedTuple):
    """One server on one transport, and how it is asked."""

    name: str
    transport: str
    serve: Serve
    greeting: list[bytes]
    questions: list[bytes]


def s13(transport: str, count: int) -> Interface:
    async def serve(stop: asyncio.Event, ready: Callable[[int], None]) -> None:
        service = Service(EIR, [Peer(MME.host)], SetChecker(), Limits(lateness=60), time.perf_counter)
        endpoint = s13_server.Endpoint("127.0.0.1", 0, s13_server.Transport(transport))
        await s13_server.serve(service, [endpoint], stop, lambda ports: ready(ports[0]))

    questions = [
        encode_check(MME, Asked(f"mme;1;{number}", f"{question.imei:014}", "01"), number, number)
        for number, (question, _) in zip(range(count), VECTORS * (count // len(VECTORS) + 1), strict=False)
    ]
    return Interface("S13", transport, serve, [codec.encode_cer(MME, 1, 1)], questions)


def gsm(transport: str, count: int) -> Interface:
    async def serve(stop: asyncio.Event, ready: Callable[[int], None]) -> None:
        listen = map_server.Listen(port=0, transport=map_transport.Transport(transport))
        server = map_server.MapServer(SetChecker(), map_server.Options(listen=(listen,)))
        running = asyncio.create_task(server.run(stop))
        await server.ready.wait()
        ready(server.ports[0])
        await running

    asking = Asking(routing_context=5)
    questions = [
        asking.request(3, number, f"{question.imei:014}0")
        for number, (question, _) in zip(range(count), VECTORS * (count // len(VECTORS) + 1), strict=False)
    ]
    return Interface("MAP", transport, serve, [m3ua.message(m3ua.ASPUP), m3ua.message(m3ua.ASPAC)], questions)


def child(interface: Interface, pipe: int) -> None:
    """A server that tells its port, and at the end its CPU seconds since then."""

    async def go() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        began = 0.0

        def ready(port: int) -> None:
            nonlocal began
            began = cpu()
            os.write(pipe, b"%d\n" % port)

        def asked_to_stop() -> None:
            os.write(pipe, b"%f\n" % (cpu() - began))
            stop.set()

        loop.add_signal_handler(15, asked_to_stop)
        await interface.serve(stop, ready)

    asyncio.run(go())


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(interface: Interface, window: int) -> tuple[float, float]:
    """Answers a second, and microseconds of the server's CPU for each."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            child(interface, writer)
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        port = int(told.readline())
        seconds = asked(interface, port, window)
        os.kill(process, 15)
        used = float(told.readline())
    os.waitpid(process, 0)
    count = len(interface.questions)
    return count / seconds, used / count * 1e6


def asked(interface: Interface, port: int, window: int) -> float:
    whole = interface.transport == "sctp"
    link = socket.socket(type=socket.SOCK_STREAM, proto=sctp.IPPROTO_SCTP if whole else 0)
    link.settimeout(60)
    link.connect(("127.0.0.1", port))
    if whole:
        link.setsockopt(sctp.IPPROTO_SCTP, SCTP_NODELAY, 1)
    else:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    diameter = interface.name == "S13"

    def read(count: int) -> None:
        buffer = b""
        while count:
            buffer += link.recv(262_144)
            at = 0
            while len(buffer) - at >= 8:
                head = buffer[at : at + 8]
                size = int.from_bytes(head[1:4] if diameter else head[4:8], "big")
                if len(buffer) - at < size:
                    break
                at += size
                count -= 1
            buffer = buffer[at:]

    for message in interface.greeting:
        link.send(message)
        read(1)
    questions = interface.questions
    begun = time.perf_counter()
    for start in range(0, len(questions), window):
        some = questions[start : start + window]
        for block in some if whole else [b"".join(some)]:
            link.sendall(block)
        read(len(some))
    seconds = time.perf_counter() - begun
    link.close()
    return seconds


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    if not sctp.is_available():
        environment = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": "/usr/bin:/bin",
        }
        code, output = guest.run([sys.executable, __file__, str(count)], environment, 580)
        print(output[output.find(f"{count} questions") :])
        sys.exit(code)
    print(f"{count} questions, best of {ROUNDS}; on {os.uname().release}")
    for make in (s13, gsm):
        for window in WINDOWS:
            used = []
            for transport in ("tcp", "sctp"):
                interface = make(transport, count)
                rate, microseconds = max(measured(interface, window) for _ in range(ROUNDS))
                used.append(microseconds)
                way = f"{interface.name} {transport:4} windows of {window:2}"
                print(f"{way} {rate:8.0f} answers/s {microseconds:8.1f} us of the server's CPU each")
            print(f"    SCTP costs the server {used[1] / used[0]:.1f} times what TCP does")


if __name__ == "__main__":
    main()
