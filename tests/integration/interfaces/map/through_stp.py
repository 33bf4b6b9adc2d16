"""A program, run where the kernel has SCTP: an exchange asks our EIR through Osmocom's STP.

    python through_stp.py FOLDER

Starts osmo-stp and, if it can, dumpcap; connects our server as an ASP and a small exchange as another; asks
the shared vectors in all three versions; writes `result.json` and `exchanged.pcap` to FOLDER.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking, told
from ceir.interfaces.map.association import Association, AssociationOptions, Role, State
from ceir.interfaces.map.server import Connect, MapServer, Options
from ceir.interfaces.map.transport import Link, LinkLimits, Transport, connected
from vectors import VECTORS, SetChecker

GATEWAY, EIR, EXCHANGE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
POINT_CODE = {EIR: 2, EXCHANGE: 1}

CONFIGURATION = f"""
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


class Exchange:
    """An MSC as far as asking goes."""

    def __init__(self) -> None:
        self.association = Association(Role.ASP, AssociationOptions(POINT_CODE[EXCHANGE], traffic_mode=2))
        self.answers: list[bytes] = []
        self.arrived = asyncio.Event()
        self.link: Link | None = None

    async def connect(self) -> None:
        made = await connected(Transport.SCTP, GATEWAY, m3ua.PORT, 20, (EXCHANGE, 0))
        self.link = Link(
            made, self._receive, lambda _link, _why: None, LinkLimits(), asyncio.get_running_loop()
        )
        self.link.start()
        self.link.send(list(self.association.opening()))
        while self.association.state is not State.ACTIVE:
            await asyncio.sleep(0.02)

    def _receive(self, _link: Link, messages: list[bytes]) -> list[bytes]:
        replies: list[bytes] = []
        for message in messages:
            if message[2] == m3ua.TRANSFER:
                self.answers.append(message)
                self.arrived.set()
            else:
                replies.extend(self.association.receive(message).replies)
        return replies

    async def ask(self, message: bytes) -> bytes:
        assert self.link is not None
        self.arrived.clear()
        self.link.send([message])
        async with asyncio.timeout(20):
            await self.arrived.wait()
        return self.answers.pop()


async def exchange(result: dict[str, object]) -> None:
    events: list[str] = []
    options = Options(
        connect=(Connect(GATEWAY, transport=Transport.SCTP, local=(EIR, 0)),),
        association=AssociationOptions(POINT_CODE[EIR], traffic_mode=2),
    )
    server = MapServer(SetChecker(), options, tell=lambda event, fields: events.append(f"{event} {fields}"))
    stop = asyncio.Event()
    running = asyncio.create_task(server.run(stop))
    result["events"] = events
    async with asyncio.timeout(60):
        while not server.active:
            await asyncio.sleep(0.02)
        peer = Exchange()
        await peer.connect()
    wrong: list[str] = []
    asked = appended = 0
    for version in (1, 2, 3):
        for extended in (False, True):
            asking = Asking(
                opc=POINT_CODE[EXCHANGE],
                dpc=POINT_CODE[EIR],
                routing_context=POINT_CODE[EXCHANGE],
                extended=extended,
            )
            for question, answer in VECTORS:
                if question.imsi is not None and version == 3:
                    continue
                asked += 1
                tail = "" if question.software_version is None else f"{question.software_version:02d}"
                imsi = None if question.imsi is None else str(question.imsi)[1:]
                appended += imsi is not None
                imei = f"{question.imei:014d}{tail}"
                request = asking.request(version, asked, imei, imsi=imsi, sls=asked & 15)
                got = told(await peer.ask(request), version)
                names = ("permitted", "blocked", "tracked")
                status = "unknown" if got.error == 7 else None if got.status is None else names[got.status]
                if status != answer.status.value or got.transaction != asked.to_bytes(4, "big"):
                    wrong.append(f"version {version}: {question} gave {got}")
    result.update(asked=asked, appended=appended, wrong=wrong, answered=server.counters.answered)
    stop.set()
    await running


def main() -> None:
    folder = Path(sys.argv[1])
    configuration = folder / "stp.cfg"
    configuration.write_text(CONFIGURATION)
    result: dict[str, object] = {}
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "stp.log").open("w"))
        started = []
        with contextlib.suppress(OSError):
            sniff = ["dumpcap", "-q", "-i", "lo", "-f", "sctp", "-w", str(folder / "exchanged.pcap")]
            started.append(subprocess.Popen(sniff, stdout=log, stderr=log))
            time.sleep(2)
        started.append(subprocess.Popen(["osmo-stp", "-c", str(configuration)], stdout=log, stderr=log))
        time.sleep(2)
        try:
            asyncio.run(exchange(result))
        except Exception as error:  # noqa: BLE001 - told to who reads the result
            result["error"] = repr(error)
        time.sleep(1)
        for process in reversed(started):
            process.terminate()
            process.wait(10)
    result["stp"] = (folder / "stp.log").read_text()[-4000:]
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
