"""Loads of each interface, by the project's own clients and by native ones."""

import asyncio
import json
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hpack import Encoder, NeverIndexedHeaderTuple
from machine import CLIENT_CORE

from ceir.equipment_check import Question
from ceir.interfaces.load import LoadReport, Plan, put_load
from ceir.interfaces.load.putting import Connect
from ceir.interfaces.map.load import MapLoad
from ceir.interfaces.map.transport import Transport
from ceir.interfaces.n17.load import N17Load, target
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13.asking import encode_check
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.load import S13Load, asked
from ceir.interfaces.serving.workers import new_event_loop

MME = Node("mme.localdomain", "localdomain")
SERVER_REALM = "localdomain"
STREAMS = 256
"""As many as the server allows on a connection."""

PERCENTILES = (50, 90, 99, 99.9, 100)
ON_CLIENT_CORE = ("taskset", "-c", str(CLIENT_CORE))


@dataclass(frozen=True)
class Loaded:
    """What came of a load, whoever put it on.

    Args:
        milliseconds: percentiles to the answer.
        late_milliseconds: the longest that a request was due before the client came to send it.
        late_milliseconds_99: the same of all but one request in a hundred.
        client_share: of the time the client worked; near 1 the client is the limit.
        core_share: of the time a client that never sleeps had its core; below 1 somebody else had it.
        seconds: from the first request to the last answer.
        statuses: how often each was answered.
    """

    answered: int
    per_second: float
    errors: Mapping[str, int]
    milliseconds: Mapping[str, float]
    closed: int = 0
    late_milliseconds: float | None = None
    late_milliseconds_99: float | None = None
    client_share: float | None = None
    core_share: float | None = None
    seconds: float | None = None
    statuses: Mapping[str, int] | None = None


def connecting(interface: str, port: int, plan: Plan, questions: Sequence[Question]) -> Connect:
    """The project's client."""
    clock = time.perf_counter
    if interface == "n17":
        return N17Load(questions, "127.0.0.1", port, plan.window, clock).connect
    if interface == "map":
        # Versions as a network has them: MSCs of 3G and later ask in version 3.
        load = MapLoad(questions, "127.0.0.1", port, plan.window, clock, Transport.TCP, (3,))
        return load.connect
    return S13Load(MME, questions, "127.0.0.1", port, plan.window, plan.connections, clock).connect


def put(interface: str, port: int, plan: Plan, questions: Sequence[Question]) -> Loaded:
    """A load by the project's client, in this process."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return told(runner.run(put_load(connecting(interface, port, plan, questions), plan)))


def told(report: LoadReport) -> Loaded:
    """A report of the project's client."""
    return Loaded(
        report.answered,
        round(report.rate, 1),
        report.errors,
        {f"{percent:g}": round(seconds * 1000, 3) for percent, seconds in report.percentiles.items()},
        report.closed,
        round(report.late * 1000, 3),
        client_share=round(report.processor, 3),
        seconds=round(report.seconds, 3),
    )


def compiled(name: str, folder: Path) -> Path:
    """A load generator in C; none of them is needed to serve or to load-test."""
    program = folder / name
    source = Path(__file__).parent / "native" / f"{name}.c"
    subprocess.run(["gcc", "-O2", "-o", program, source, "-lm"], check=True)
    return program


class NativeS13:
    """The load generator of S13 in C."""

    def __init__(self, folder: Path, questions: Sequence[Question]) -> None:
        self._program = compiled("s13_load", folder)
        self._cer, self._requests = folder / "cer", folder / "requests"
        self._cer.write_bytes(codec.encode_cer(MME, 0, 0))
        self._requests.write_bytes(
            b"".join(
                encode_check(MME, asked(question, number, MME, SERVER_REALM), 0, 0)
                for number, question in enumerate(questions)
            )
        )

    @staticmethod
    def is_possible() -> bool:
        return shutil.which("gcc") is not None

    def put(self, port: int, plan: Plan) -> Loaded:
        """A load in a process of its own."""
        words = (
            *ON_CLIENT_CORE, self._program, "127.0.0.1", port, self._cer, self._requests,
            plan.connections, plan.window, plan.seconds, plan.rate or 0,
        )  # fmt: skip
        output = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True).stdout
        found = json.loads(output)
        lost = found["due"] - found["answered"]
        errors = {name: found[name] for name in ("refused", "unasked") if found[name]}
        return Loaded(
            found["answered"],
            found["answers_per_second"],
            errors | ({"no answer": lost} if lost else {}),
            {percent: round(us / 1000, 3) for percent, us in found["microseconds"].items()},
            found["closed"],
            seconds=found["seconds"],
        )


_FRAME = struct.Struct(">IBI")
_SETTING = struct.Struct(">HI")
_HEADERS, _SETTINGS, _WINDOW_UPDATE = 1, 4, 8
_WHOLE_REQUEST = 0x5
_ENABLE_PUSH, _HEADER_TABLE_SIZE, _INITIAL_WINDOW = 2, 1, 4


class NativeN17:
    """The load generator of N17 in C, which replays requests that were encoded here.

    Requests use no dynamic table, so they mean the same on every stream of every connection. What is the same
    in all of them is not compressed: a table would spare the server that much work, too.
    """

    def __init__(self, folder: Path, questions: Sequence[Question]) -> None:
        self._program = compiled("n17_load", folder)
        self._folder = folder
        self._paths = [_fields((":path", target(question)), compress=True) for question in questions]
        settings = ((_HEADER_TABLE_SIZE, 0), (_ENABLE_PUSH, 0), (_INITIAL_WINDOW, 1 << 20))
        self._opening = folder / "opening"
        self._opening.write_bytes(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + _frame(_SETTINGS, 0, b"".join(_SETTING.pack(*setting) for setting in settings))
            + _frame(_WINDOW_UPDATE, 0, struct.pack(">I", 2**31 - 65_536))
        )

    @staticmethod
    def is_possible() -> bool:
        return shutil.which("gcc") is not None

    def put(self, port: int, plan: Plan) -> Loaded:
        """A load in a process of its own; times run from when a request was due."""
        requests = self._folder / f"requests-{port}"
        if not requests.exists():
            before = _fields((":method", "GET"), (":scheme", "http"), (":authority", f"127.0.0.1:{port}"))
            behind = _fields(("user-agent", "AMF"), ("accept", "application/json, application/problem+json"))
            requests.write_bytes(
                b"".join(_frame(_HEADERS, _WHOLE_REQUEST, before + path + behind) for path in self._paths)
            )
        words = (
            *ON_CLIENT_CORE, self._program, "127.0.0.1", port, self._opening, requests,
            plan.connections, plan.window, plan.seconds, plan.rate or 0,
        )  # fmt: skip
        output = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True).stdout
        found = json.loads(output)
        errors = {name: found[name] for name in ("refused", "unasked", "reset", "going_away") if found[name]}
        lost = found["due"] - found["answered"] - found["reset"]
        late = found["late_microseconds"] if plan.rate else {}
        return Loaded(
            found["answered"],
            found["answers_per_second"],
            errors | ({"no answer": lost} if lost else {}),
            {percent: round(us / 1000, 3) for percent, us in found["microseconds"].items()},
            found["closed"],
            round(late["100"] / 1000, 3) if late else None,
            round(late["99"] / 1000, 3) if late else None,
            found["busy_share"],
            found["core_share"],
            found["seconds"],
            {name: found[name] for name in ("permitted", "blocked", "tracked", "unknown")},
        )


def _frame(kind: int, flags: int, data: bytes) -> bytes:
    return _FRAME.pack(len(data) << 8 | kind, flags, 0) + data


def _fields(*fields: tuple[str, str], compress: bool = False) -> bytes:
    """Header fields without a dynamic table: an index where the static table has all of one, else literal."""
    return Encoder().encode([NeverIndexedHeaderTuple(*field) for field in fields], huffman=compress)


class H2load:
    """nghttp2's load generator."""

    def __init__(self, folder: Path, questions: Sequence[Question]) -> None:
        self._targets = [target(question) for question in questions]
        self._folder = folder

    @staticmethod
    def is_possible() -> bool:
        return shutil.which("h2load") is not None

    def put(self, port: int, plan: Plan) -> Loaded:
        """A load in a process of its own; times run from when a request was sent."""
        paths, log = self._folder / f"targets-{port}", self._folder / f"log-{port}"
        paths.write_text("".join(f"http://127.0.0.1:{port}{one}\n" for one in self._targets))
        log.unlink(missing_ok=True)
        words = (
            *ON_CLIENT_CORE,
            *("h2load", "-t", 1, "-c", plan.connections, "-m", min(plan.window, STREAMS)),
            *("-D", max(1, round(plan.seconds)), "-i", paths),
            *(("--rps", round(plan.rate / plan.connections), "--log-file", log) if plan.rate else ()),
        )
        output = subprocess.run([*map(str, words)], capture_output=True, text=True, check=True).stdout
        rate = re.search(r"finished in .*?, ([0-9.]+) req/s", output)
        good = re.search(r"status codes: (\d+) 2xx", output)
        bad = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", output)
        assert rate is not None, output
        assert good is not None, output
        assert bad is not None, output
        failed = sum(map(int, bad.groups()))
        times: dict[str, float] = {}
        if plan.rate:
            took = np.loadtxt(log, usecols=2)
            times = {
                f"{share:g}": round(float(np.percentile(took, share)) / 1000, 3) for share in PERCENTILES
            }
        seconds = float(max(1, round(plan.seconds)))
        errors = {"failed": failed} if failed else {}
        return Loaded(int(good[1]), float(rate[1]), errors, times, seconds=seconds)
