"""Requests per second of the N17 server against the same server answering a constant, in one run.

    python benchmarks/eir/n17.py [--requests 200000] [--rounds 5] [--output FILE]

One server process on one core, h2load on another. Rounds alternate, so that a slow moment of the machine hits
both; the ratio is of the medians. Cost is the processor time of the server process per answer. `metered` is
the server with its counters; `checker` sets look up in a dictionary, as the shared test answers do.
"""

import argparse
import asyncio
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ceir.equipment_check import Answer, EquipmentStatus, Reason
from ceir.interfaces.n17.application import N17Application
from ceir.interfaces.serving.http import HttpLimits, Listen, serve_rsgi
from ceir.interfaces.serving.metrics import MetricsBoard
from ceir.interfaces.serving.workers import new_event_loop

QUERY = "/n5g-eir-eic/v1/equipment-status?pei=imeisv-3520990017615007&supi=imsi-001010123456789"
KINDS = ("constant", "service", "metered")


class Constant:
    fields = [("content-type", "application/json"), ("cache-control", "no-store")]  # noqa: RUF012
    body = b'{"status":"BLACKLISTED"}'

    async def __rsgi__(self, scope: object, transport: object) -> None:
        transport.response_bytes(200, self.fields, self.body)  # type: ignore[attr-defined]


class Checker:
    blocked = {35209900176150: Answer(EquipmentStatus.BLOCKED, Reason.IDENTITY)}  # noqa: RUF012
    unknown = Answer(EquipmentStatus.UNKNOWN, Reason.DEFAULT)

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:  # noqa: ARG002
        return self.blocked.get(imei, self.unknown)  # type: ignore[arg-type]


def application(kind: str) -> object:
    if kind == "constant":
        return Constant()
    if kind == "service":
        return N17Application(Checker())
    board = MetricsBoard(Path(tempfile.mkdtemp()) / "board", 1, ["n17"])
    return N17Application(Checker(), observe=board.observer(0, "n17"), refused=board.refused(0, "n17"))


def serve(kind: str, port: int) -> None:
    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await serve_rsgi(application(kind), Listen("127.0.0.1", port), HttpLimits(), stop)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server does not listen")


def load(port: int, requests: int, core: int) -> float:
    told = subprocess.run(
        [
            *("taskset", "-c", str(core), "h2load", "-t", "1", "-c", "8", "-m", "32"),
            *("-n", str(requests), f"http://127.0.0.1:{port}{QUERY}"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"finished in .*?, ([0-9.]+) req/s", told)
    good = re.search(r"status codes: (\d+) 2xx", told)
    assert found is not None
    assert good is not None
    assert int(good[1]) == requests, told
    return float(found[1])


def measure(requests: int, rounds: int) -> dict[str, object]:
    cores = sorted(os.sched_getaffinity(0))
    servers: dict[str, tuple[int, subprocess.Popen[bytes]]] = {}
    rates: dict[str, list[float]] = {kind: [] for kind in KINDS}
    costs: dict[str, list[float]] = {kind: [] for kind in KINDS}
    try:
        for kind in KINDS:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = ["taskset", "-c", str(cores[0]), sys.executable, __file__, "--serve", kind, str(port)]
            servers[kind] = port, subprocess.Popen(command)
        for port, _ in servers.values():
            wait_for(port)
            load(port, requests // 10, cores[-1])
        for _ in range(rounds):
            for kind, (port, process) in servers.items():
                before = processor_seconds(process.pid)
                rates[kind].append(load(port, requests, cores[-1]))
                costs[kind].append((processor_seconds(process.pid) - before) / requests * 1e6)
    finally:
        for _, process in servers.values():
            process.terminate()
            process.wait()
    rate = {kind: statistics.median(values) for kind, values in rates.items()}
    cost = {kind: statistics.median(values) for kind, values in costs.items()}
    return {
        "requests": requests,
        "rounds": rounds,
        "cores_of_machine": os.cpu_count(),
        "python": platform.python_version(),
        "requests_per_second": {kind: round(value) for kind, value in rate.items()},
        "processor_microseconds_per_answer": {kind: round(value, 2) for kind, value in cost.items()},
        "share_of_constant": {kind: round(rate[kind] / rate["constant"], 3) for kind in KINDS[1:]},
        "share_of_constant_by_processor_time": {
            kind: round(cost["constant"] / cost[kind], 3) for kind in KINDS[1:]
        },
        "target": 0.8,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--serve", nargs=2, metavar=("KIND", "PORT"))
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]))
        return
    text = json.dumps(measure(options.requests, options.rounds), indent=2)
    print(text)
    if options.output:
        options.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
