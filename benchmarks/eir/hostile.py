"""Connections that mean no good, against a server of all interfaces; a part of `soak.py`.

    python benchmarks/eir/hostile.py SECONDS SEED n17=PORT s13=PORT map=PORT

Prints how often it did what.
"""

import asyncio
import contextlib
import json
import logging
import random
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable

from asking import MME

from ceir.equipment_check import Question
from ceir.interfaces.load.mix import made_up
from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.n17.load import target
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13.asking import encode_check
from ceir.interfaces.s13.load import asked

AT_A_TIME = 60
"""Connections; servers take more, so that the others are served meanwhile."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
GREETINGS = {
    "n17": PREFACE,
    "s13": codec.encode_cer(MME, 1, 1),
    "map": m3ua.message(m3ua.ASPUP) + m3ua.message(m3ua.ASPAC),
}
HUGE = {
    "n17": b"\xff\xff\xff\x01\x04\0\0\0\x01",
    "s13": b"\x01\xff\xff\xfc\xc0\0\x01\x44" + bytes(12),
    "map": b"\x01\0\x01\x01\xff\xff\xff\xff",
}


def frame(kind: int, flags: int, stream: int, data: bytes) -> bytes:
    return struct.pack(">IBI", len(data) << 8 | kind, flags, stream) + data


def request(interface: str, question: Question, number: int) -> bytes:
    """A good one."""
    if interface == "s13":
        return encode_check(MME, asked(question, number, MME, "localdomain"), number, number)
    if interface == "map":
        return Asking().request(1 + number % 3, number, f"{question.imei:014}07", sls=number & 15)
    path = target(question).encode()
    # Literal fields without a table: method GET and scheme http are 2 and 6 of the static one.
    head = (
        b"\x82\x86\x04" + bytes((127,)) + _number(len(path) - 127) + path
        if len(path) >= 127
        else (b"\x82\x86\x04" + bytes((len(path),)) + path)
    )
    return frame(1, 5, 2 * number + 1, head + b"\x01\x01x")


def _number(value: int) -> bytes:
    found = b""
    while value >= 128:
        found += bytes((value & 127 | 128,))
        value >>= 7
    return found + bytes((value,))


class Hostile:
    """One source of trouble; what it does depends on its seed only."""

    def __init__(self, ports: dict[str, int], seed: int) -> None:
        self._ports = ports
        self._choose = random.Random(seed)
        self._questions = made_up(1_000, seed)
        self.done: Counter[str] = Counter()

    async def go(self, until: float) -> None:
        """Goes on until then, whatever becomes of a connection."""
        loop = asyncio.get_running_loop()
        ways: list[Callable[[str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]] = [
            self.silence,
            self.noise,
            self.noise_after_greeting,
            self.endless_length,
            self.drop_by_drop,
            self.damaged_requests,
            self.never_reads,
            self.cut_off,
            self.resets,
        ]
        while loop.time() < until:
            interface = self._choose.choice(sorted(self._ports))
            way = self._choose.choice(ways)
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._ports[interface])
            except OSError:
                self.done["not let in"] += 1
                await asyncio.sleep(0.1)
                continue
            self.done[way.__name__] += 1
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(20):
                    await way(interface, reader, writer)
            self._drop(writer)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        """Without a farewell, half of the time with a reset."""
        made = writer.get_extra_info("socket")
        if made is not None and self._choose.random() < 0.5:
            with contextlib.suppress(OSError):
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _requests(self, interface: str, count: int) -> list[bytes]:
        first = self._choose.randrange(1 << 20)
        return [
            request(
                interface,
                self._choose.choice(self._questions),
                number if interface == "n17" else first + number,
            )
            for number in range(count)
        ]

    async def silence(self, _interface: str, reader: asyncio.StreamReader, _w: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async def noise(
        self, _interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(self._choose.randbytes(self._choose.randrange(1, 5_000)))
        await asyncio.wait_for(reader.read(100), 1)

    async def noise_after_greeting(
        self, interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(GREETINGS[interface] + self._choose.randbytes(self._choose.randrange(1, 5_000)))
        await asyncio.wait_for(reader.read(), 1)

    async def endless_length(
        self, interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(GREETINGS[interface] + HUGE[interface])
        for _ in range(20):
            await writer.drain()
            writer.write(bytes(10_000))
        await asyncio.wait_for(reader.read(), 1)

    async def drop_by_drop(
        self, interface: str, _r: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for octet in GREETINGS[interface] + self._requests(interface, 1)[0]:
            writer.write(bytes((octet,)))
            await asyncio.sleep(0.05)
            await writer.drain()

    async def damaged_requests(
        self, interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(GREETINGS[interface])
        await reader.read(100)
        for message in self._requests(interface, 200):
            damaged = bytearray(message)
            # The length is left alone most of the time, else all the rest would never be looked at.
            damaged[self._choose.randrange(4 if self._choose.random() < 0.98 else 0, len(damaged))] ^= (
                1 << self._choose.randrange(8)
            )
            if writer.is_closing():
                return
            writer.write(damaged)
        await asyncio.wait_for(reader.read(1 << 20), 1)

    async def never_reads(
        self, interface: str, _r: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        made = writer.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GREETINGS[interface])
        for _ in range(20):
            writer.write(b"".join(self._requests(interface, 200)))
            await asyncio.wait_for(writer.drain(), 3)

    async def cut_off(
        self, interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        whole = GREETINGS[interface] + b"".join(self._requests(interface, 20))
        writer.write(whole[: self._choose.randrange(len(whole))])
        await asyncio.wait_for(reader.read(100), 1)

    async def resets(
        self, interface: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """HTTP/2 streams opened and reset at once; elsewhere greetings again and again."""
        writer.write(GREETINGS[interface])
        if interface == "n17":
            for number, message in enumerate(self._requests(interface, 500)):
                if writer.is_closing():
                    return
                writer.write(message + frame(3, 0, 2 * number + 1, bytes(4)))
        else:
            writer.write(GREETINGS[interface] * 200)
        await asyncio.wait_for(reader.read(1 << 20), 1)


async def main(seconds: float, seed: int, ports: dict[str, int]) -> Counter[str]:
    until = asyncio.get_running_loop().time() + seconds
    sources = [Hostile(ports, seed + number) for number in range(AT_A_TIME)]
    await asyncio.gather(*(source.go(until) for source in sources))
    return sum((source.done for source in sources), Counter())


if __name__ == "__main__":
    # It tells of every write to a connection that the server closed, which is what is wanted here.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    where = {name: int(port) for name, _, port in (word.partition("=") for word in sys.argv[3:])}
    print(json.dumps(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]), where))))
