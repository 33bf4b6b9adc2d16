"""Answers a second and CPU time an answer of one S13 server process, against the project's own load client.

    python benchmarks/eir/s13.py [--seconds 5] [--connections 4] [--window 256] [--observe]

The server runs in a process of its own and is measured by its own CPU clock: the client's work
does not count.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import time
from multiprocessing.connection import Connection

from ceir.equipment_check import Answer, EquipmentStatus, Question, Reason
from ceir.interfaces.s13.asking import Asked
from ceir.interfaces.s13.client import Load, put_load
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Limits, Peer, Service
from ceir.interfaces.s13.server import Endpoint, serve

SERVER = Node("eir.example.org", "example.org", origin_state_id=1)
CLIENT = Node("mme.example.org", "example.org")
_ANSWERS = (
    Answer(EquipmentStatus.PERMITTED, Reason.DEFAULT),
    Answer(EquipmentStatus.TRACKED, Reason.IDENTITY),
    Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY),
    Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT),
)


class BySerial:
    """Answers by the last digit, to see all kinds of answers without measuring a snapshot."""

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:  # noqa: ARG002
        return _ANSWERS[0] if imei is None else _ANSWERS[imei & 3]


def _serve(pipe: Connection, observe: bool, limits: Limits) -> None:
    seen = 0

    def watch(answer: Answer, seconds: float, question: Question) -> None:  # noqa: ARG001
        nonlocal seen
        seen += 1

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def command() -> None:
            if pipe.recv() == "stop":
                stop.set()
            else:
                usage = resource.getrusage(resource.RUSAGE_SELF)
                pipe.send((time.process_time(), service.counters.answered, usage.ru_maxrss))

        loop.add_reader(pipe.fileno(), command)
        service = Service(
            SERVER, [Peer(CLIENT.host)], BySerial(), limits, time.perf_counter, watch if observe else None
        )
        await serve(service, [Endpoint("127.0.0.1", 0)], stop, started=lambda ports: pipe.send(ports[0]))

    asyncio.run(main())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--rate", type=float, default=None)
    parser.add_argument("--observe", action="store_true")
    told = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(theirs, told.observe, Limits())
    )
    process.start()
    port = ours.recv()
    mix = [Asked("", f"{35345678901234 + n:014}", "01", f"00101000000{n:04}") for n in range(1000)]
    load = Load(mix, told.seconds, told.rate, told.window, told.connections)
    ours.send("cpu")
    cpu_before, answered_before, memory_before = ours.recv()
    own_before = time.process_time()
    report = asyncio.run(put_load(CLIENT, "127.0.0.1", port, load))
    own = time.process_time() - own_before
    ours.send("cpu")
    cpu_after, answered_after, memory_after = ours.recv()
    ours.send("stop")
    process.join()
    answered = answered_after - answered_before
    cpu = cpu_after - cpu_before
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {told}")
    print(f"answers/s            {report.rate:,.0f}  (lost {report.lost})")
    print(f"server CPU an answer {cpu / answered * 1e6:.1f} µs  -> {answered / cpu:,.0f} a core and second")
    print(f"client CPU an answer {own / answered * 1e6:.1f} µs")
    print(f"server memory        {memory_after:,} KiB, {memory_after - memory_before:,} more than before")
    print("outcomes            ", dict(report.outcomes))
    print("ms                  ", {f"p{p:g}": round(s * 1e3, 2) for p, s in report.percentiles.items()})


if __name__ == "__main__":
    main()
