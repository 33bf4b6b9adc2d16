"""Captures written by hand: payloads in IPv4 with SCTP or TCP, as tshark reads them."""

import struct
from collections.abc import Iterable
from pathlib import Path

CLIENT, SERVER = bytes((127, 0, 0, 1)), bytes((127, 0, 0, 2))


def _ip(protocol: int, source: bytes, target: bytes, payload: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, source, target)
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + head[12:] + payload


def sctp(asked: bool, port: int, payload: bytes, protocol: int, number: int, stream: int = 1) -> bytes:
    """One DATA chunk towards the server (`asked`) or from it."""
    ports = (40_000, port) if asked else (port, 40_000)
    chunk = struct.pack("!BBHIHHI", 0, 3, 16 + len(payload), number + 1, stream, number, protocol) + payload
    chunk += bytes(-len(chunk) & 3)
    head = struct.pack("!HHII", *ports, 0x1234, 0)
    return _ip(132, *((CLIENT, SERVER) if asked else (SERVER, CLIENT)), head + chunk)


def tcp(asked: bool, port: int, payload: bytes, sent: int, received: int) -> bytes:
    """One segment; `sent` and `received`: octets that went before in its direction and the other."""
    ports = (40_000, port) if asked else (port, 40_000)
    head = struct.pack("!HHIIBBHHH", *ports, 1 + sent, 1 + received, 0x50, 0x18, 65_535, 0, 0)
    return _ip(6, *((CLIENT, SERVER) if asked else (SERVER, CLIENT)), head + payload)


def capture(path: Path, packets: Iterable[bytes]) -> None:
    """A pcap file of raw IP packets, a millisecond apart."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        for number, packet in enumerate(packets):
            out.write(struct.pack("<IIII", 1_700_000_000, 1000 * number, len(packet), len(packet)) + packet)
