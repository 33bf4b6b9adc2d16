"""MAP over SCTP: an exchange asks through Osmocom's STP, and without one; tshark looks at what went over.

Where the kernel has no SCTP, test_sctp_guest.py runs this in a guest.
"""

import asyncio
import contextlib
import shutil
import struct
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from capturing import fields, recording
from exchange import Exchange, questions

from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.association import AssociationOptions, Role
from ceir.interfaces.map.server import Connect, Listen, MapServer, Options, Tell
from ceir.interfaces.map.transport import IPPROTO_SCTP, Transport, open_socket, sctp_available
from vectors import SetChecker

pytestmark = pytest.mark.skipif(
    not sctp_available(), reason="the platform's kernel has no SCTP: see test_sctp_guest.py"
)

GATEWAY, EIR, EXCHANGE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
SCTP_INITMSG = 2
POINT_CODE = {EIR: 2, EXCHANGE: 1}

STP = f"""
log stderr
 logging filter all 1
 logging print category 1
 logging level set-all notice
line vty
 no login
 bind 127.0.0.1
cs7 instance 0
 network-indicator national
 point-code 0.0.3
 asp asp-eir 0 2905 m3ua
  local-ip {GATEWAY}
  remote-ip {EIR}
  role sg
  sctp-role server
 asp asp-exchange 0 2905 m3ua
  local-ip {GATEWAY}
  remote-ip {EXCHANGE}
  role sg
  sctp-role server
 as as-eir m3ua
  asp asp-eir
  routing-key 2 0.0.2
  traffic-mode loadshare
 as as-exchange m3ua
  asp asp-exchange
  routing-key 1 0.0.1
  traffic-mode loadshare
 route-table system
  update route 0.0.2 7.255.7 linkset as-eir
  update route 0.0.1 7.255.7 linkset as-exchange
 listen m3ua 2905
  local-ip {GATEWAY}
  accept-asp-connections pre-configured
"""


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[Path]:
    """osmo-stp, ready; gives its log."""
    configuration, log = folder / "stp.cfg", folder / "stp.log"
    configuration.write_text(STP)
    with log.open("w") as told:
        command = ["osmo-stp", "-c", str(configuration)]
        with subprocess.Popen(command, stdout=told, stderr=told, cwd=folder) as process:
            try:
                until = time.monotonic() + 30
                while not listens(m3ua.PORT):
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < until, log.read_text()
                    time.sleep(0.05)
                yield log
            finally:
                process.terminate()


def listens(port: int) -> bool:
    rows = Path("/proc/net/sctp/eps").read_text().splitlines()[1:]
    return any(row.split()[5] == str(port) for row in rows)


@contextlib.asynccontextmanager
async def serving(options: Options, tell: Tell | None = None) -> AsyncIterator[MapServer]:
    server = MapServer(SetChecker(), options, tell=tell)
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield server
    finally:
        stop.set()
        await running


async def until_active(server: MapServer, count: int) -> None:
    async with asyncio.timeout(60):
        while server.active < count:
            await asyncio.sleep(0.02)


class Seen:
    """The DATA chunks of a capture, each counted once.

    On a busy machine the kernel sends a chunk again that was not acknowledged in time. tshark shows the head
    of such a chunk but does not look into it a second time.
    """

    def __init__(self, capture: Path) -> None:
        names = (
            *("_ws.malformed", "sctp.data_payload_proto_id", "sctp.data_sid", "sctp.data_b_bit"),
            *("sctp.data_e_bit", "m3ua.message_class", "gsm_map.ms.equipmentStatus", "sccp.calling.ssn"),
            *("ip.src", "sctp.srcport", "sctp.data_tsn_raw"),
        )
        rows = [row for row in fields(capture, names) if row[1]]
        assert rows
        self.malformed = sum(bool(row[0]) for row in rows)
        self.malformed_of_ours = sum(bool(row[0]) and "9" in row[7].split(",") for row in rows)
        self.statuses = sorted(word for row in rows for word in row[6].split(",") if word)
        self.streams: list[tuple[str, str]] = []
        """Class of the M3UA message and stream, of every chunk."""
        sent = set[tuple[str, str, str]]()
        for _, protocol, stream, begins, ends, kind, _, _, host, port, numbers in rows:
            chunks = protocol.split(",")
            assert set(chunks) == {"3"}
            # Each chunk begins and ends its message, and holds one: as many new chunks as M3UA messages.
            assert begins.split(",") == ends.split(",") == ["1"] * len(chunks)
            new = [
                on
                for on, number in zip(stream.split(","), numbers.split(","), strict=True)
                if (host, port, number) not in sent
            ]
            sent |= {(host, port, number) for number in numbers.split(",")}
            self.streams += zip(kind.split(",") if kind else (), new, strict=True)

    @property
    def data(self) -> int:
        return sum(kind == "1" for kind, _ in self.streams)

    def streams_of(self, *, data: bool) -> set[int]:
        return {int(stream, 16) for kind, stream in self.streams if (kind == "1") == data}


@pytest.mark.skipif(shutil.which("osmo-stp") is None, reason="osmo-stp is not installed")
def test_an_exchange_is_answered_through_osmo_stp(tmp_path: Path) -> None:
    asked, appended, statuses = 0, 0, list[str]()

    async def go() -> None:
        nonlocal asked, appended
        options = Options(
            connect=(Connect(GATEWAY, transport=Transport.SCTP, local=(EIR, 0)),),
            association=AssociationOptions(POINT_CODE[EIR], traffic_mode=2),
        )
        async with serving(options) as server:
            await until_active(server, 1)
            exchange = Exchange(Role.ASP, AssociationOptions(POINT_CODE[EXCHANGE], traffic_mode=2))
            await exchange.connect(Transport.SCTP, GATEWAY, m3ua.PORT, (EXCHANGE, 0))
            for extended in (False, True):
                asking = Asking(
                    opc=POINT_CODE[EXCHANGE],
                    dpc=POINT_CODE[EIR],
                    routing_context=POINT_CODE[EXCHANGE],
                    extended=extended,
                )
                for question in questions(asking, 1000 * extended):
                    asked += 1
                    appended += question.appended
                    statuses.extend([] if question.status is None else [str(question.status)] * 2)
                    exchange.send(question.message)
                    assert question.wrong(await exchange.take()) is None, question
            assert server.counters.answered == asked
            exchange.close()

    with recording(tmp_path / "map.pcap", "sctp"), gateway(tmp_path):
        asyncio.run(go())
    seen = Seen(tmp_path / "map.pcap")
    # Each question and each answer passes twice: before the gateway and after it.
    assert seen.data == 4 * asked > 320
    assert seen.statuses == sorted(statuses)
    assert 0 not in seen.streams_of(data=True)
    assert seen.streams_of(data=False) == {0}
    # The appended IMSI is no standard form, and tshark says so of these questions alone.
    assert seen.malformed == 2 * appended
    assert seen.malformed_of_ours == 0


def test_every_question_of_a_long_pipeline_is_answered_one_message_a_chunk(tmp_path: Path) -> None:
    rounds = 20
    asked: list[int] = []

    async def go() -> None:
        options = Options(listen=(Listen(port=m3ua.PORT),), association=AssociationOptions(5, traffic_mode=2))
        async with serving(options) as server:
            exchange = Exchange(Role.IPSP_CLIENT, AssociationOptions(5, traffic_mode=2))
            await exchange.connect(Transport.SCTP, "127.0.0.1", m3ua.PORT)
            asking = Asking(routing_context=5)
            # Without the appended IMSI, at which tshark leaves a packet with all that it has yet to bring.
            waiting = [
                one for turn in range(rounds) for one in questions(asking, 1000 * turn) if not one.appended
            ]
            exchange.send(*(one.message for one in waiting))
            for question in waiting:
                assert question.wrong(await exchange.take()) is None, question
            assert server.counters.answered == len(waiting)
            asked.append(len(waiting))
            exchange.close()

    with recording(tmp_path / "map.pcap", "sctp"):
        asyncio.run(go())
    seen = Seen(tmp_path / "map.pcap")
    assert seen.data == 2 * asked[0]
    assert 0 not in seen.streams_of(data=True)
    assert seen.streams_of(data=False) == {0}
    assert seen.malformed == 0


def test_an_asp_comes_back_when_its_association_was_lost() -> None:
    async def go() -> None:
        association = AssociationOptions(5, traffic_mode=2)
        waiting = Options(listen=(Listen(port=m3ua.PORT),), association=association)
        connect = (Connect("127.0.0.1", role=Role.IPSP_CLIENT),)
        beginning = Options(
            connect=connect, association=association, reconnect_first=0.05, reconnect_last=0.2
        )
        async with serving(beginning) as ours:
            for _ in range(2):
                async with serving(waiting) as peer:
                    await until_active(ours, 1)
                    await until_active(peer, 1)
                async with asyncio.timeout(60):
                    while ours.active:
                        await asyncio.sleep(0.02)

    asyncio.run(go())


def test_an_association_with_one_stream_is_refused_because_data_may_not_use_it() -> None:
    events: list[str] = []

    async def go() -> None:
        options = Options(listen=(Listen(port=m3ua.PORT),))
        async with serving(options, tell=lambda event, _fields: events.append(event)):
            peer = open_socket(Transport.SCTP)
            # Streams out, streams in, attempts, longest pause between them (RFC 6458 clause 8.1.3).
            peer.setsockopt(IPPROTO_SCTP, SCTP_INITMSG, struct.pack("=HHHH", 16, 1, 0, 0))
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(60):
                await loop.sock_connect(peer, ("127.0.0.1", m3ua.PORT))
                assert await loop.sock_recv(peer, 4096) == b""
            peer.close()

    asyncio.run(go())
    assert events == ["association_closed", "association_refused"]
