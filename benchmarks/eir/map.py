"""CheckIMEI dialogues a second and CPU a dialogue: the codec alone, and a server process over loopback.

Usage: map.py [dialogues]. The client replays prepared messages and only counts octets, so that on one core
the server is what is measured; its CPU time is its own process's, read from the kernel.
"""

import asyncio
import os
import random
import resource
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from ceir.interfaces.map import m3ua, sccp
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.responder import Responder, ResponderOptions
from ceir.interfaces.map.server import Listen, MapServer, Options
from ceir.interfaces.map.transport import Transport
from vectors import VECTORS, SetChecker


def requests(count: int, origins: int = 20) -> list[bytes]:
    """Versions 1 to 3 mixed, from several exchanges with global titles; all transaction ids are new."""
    choose = random.Random(1)
    eir = sccp.Address(False, None, 9, 4, sccp.global_title("22123456789")).encode()
    asking = [
        Asking(
            called=eir,
            calling=sccp.Address(False, None, 8, 4, sccp.global_title(f"2298765{n:03d}")).encode(),
            opc=100 + n,
            routing_context=5,
        )
        for n in range(origins)
    ]
    made = []
    for number in range(count):
        question, _ = choose.choice(VECTORS)
        imei = f"{question.imei:014d}{choose.choice(['', '5', '07'])}"
        version = choose.choice((1, 2, 3, 3))
        made.append(
            choose.choice(asking).request(version, number, imei, sls=number & 15, invoke_id=number & 127)
        )
    return made


def codec_alone(messages: list[bytes], shapes: int) -> float:
    """Microseconds of CPU a dialogue without any socket."""
    responder = Responder(SetChecker(), ResponderOptions(max_shapes=shapes), clock=time.perf_counter)
    begun = time.process_time()
    for message in messages:
        responder.respond(message)
    assert responder.counters.answered == len(messages)
    return (time.process_time() - begun) / len(messages) * 1e6


def serve(pipe: int, shapes: int, answers: int) -> None:
    """In the child: a server; it reports its port and at the end its CPU seconds."""

    async def go() -> None:
        options = Options(
            listen=(Listen(port=0, transport=Transport.TCP),), responder=ResponderOptions(max_shapes=shapes)
        )
        server = MapServer(SetChecker(), options)
        stop = asyncio.Event()
        running = asyncio.create_task(server.run(stop))
        await server.ready.wait()
        before = resource.getrusage(resource.RUSAGE_SELF)
        os.write(pipe, b"%d\n" % server.ports[0])
        while server.counters.answered < answers:
            await asyncio.sleep(0.02)
        after = resource.getrusage(resource.RUSAGE_SELF)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        os.write(pipe, b"%f %d\n" % (used, after.ru_maxrss))
        stop.set()
        await running

    asyncio.run(go())


def over_loopback(messages: list[bytes], shapes: int, window: int) -> tuple[float, float, int]:
    """Dialogues a second, CPU microseconds a dialogue of the server, its memory in KiB."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            serve(writer, shapes, len(messages))
        finally:
            os._exit(0)
    os.close(writer)
    report = os.fdopen(reader)
    port = int(report.readline())
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(m3ua.message(m3ua.ASPUP) + m3ua.message(m3ua.ASPAC))
    reply = b""
    while len(reply) < 16:
        reply += link.recv(4096)
    chunks = [b"".join(messages[at : at + window]) for at in range(0, len(messages), window)]
    free = threading.Semaphore(8)
    sizes = Responder(SetChecker(), ResponderOptions(), clock=time.perf_counter)
    expected = [
        sum(len(sizes.respond(m) or b"") for m in messages[at : at + window])
        for at in range(0, len(messages), window)
    ]
    begun = time.perf_counter()

    def write() -> None:
        for chunk in chunks:
            free.acquire()
            link.sendall(chunk)

    writing = threading.Thread(target=write)
    writing.start()
    got, chunk = 0, 0
    while chunk < len(expected):
        got += len(link.recv(262_144))
        while chunk < len(expected) and got >= expected[chunk]:
            got -= expected[chunk]
            chunk += 1
            free.release()
    seconds = time.perf_counter() - begun
    writing.join()
    used, memory = report.readline().split()
    link.close()
    os.waitpid(child, 0)
    return len(messages) / seconds, float(used) / len(messages) * 1e6, int(memory)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    messages = requests(count)
    print(f"{count} dialogues, versions 1 to 3, 20 origins, UDT with global titles")
    print(f"codec, templates:      {codec_alone(messages, 4096):7.2f} us of CPU a dialogue")
    print(f"codec, decoded in full:{codec_alone(messages[:40_000], 0):7.2f} us of CPU a dialogue")
    for name, shapes, window in (
        ("server, bursts of 64", 4096, 64),
        ("server, bursts of 8", 4096, 8),
        ("server, one by one", 4096, 1),
        ("server, decoded in full", 0, 64),
    ):
        some = messages if shapes and window > 1 else messages[: count // 4]
        rate, cpu, memory = over_loopback(some, shapes, window)
        print(f"{name:24} {rate:9.0f} dialogues/s {cpu:7.2f} us of CPU a dialogue {memory / 1024:6.0f} MiB")


if __name__ == "__main__":
    main()
