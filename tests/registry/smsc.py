"""A message centre for tests, as a process of its own: python smsc.py LOG [CERTIFICATE KEY]

It listens on a free port of this machine, prints it, and writes one line of JSON for each unit it gets. What
it does with a message depends on the last two digits of its number; see `BEHAVIOUR`.
"""

# ruff: noqa: ARG001 - whatever a behaviour does with a message, it is given all of it

import asyncio
import json
import ssl
import struct
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import smpplib.smpp

PASSWORD = "secret"
THROTTLED, REFUSED = 0x58, 0x0B


class Numbered:
    sequence = 0

    def next_sequence(self) -> int:
        Numbered.sequence += 1
        return Numbered.sequence


def make(command: str, sequence: int, status: int = 0, **fields: object) -> bytes:
    unit = smpplib.smpp.make_pdu(command, client=Numbered(), sequence=sequence, status=status, **fields)
    unit.sequence, unit.status = sequence, status
    octets: bytes = unit.generate()
    return octets


def delivery(text: bytes, more: bytes = b"", *, source: str = "220000000000", esm_class: int = 4) -> bytes:
    """A message from the centre, built by hand so that it can be wrong."""
    head = b"\0" + bytes([1, 1]) + source.encode() + b"\0" + bytes([3, 0]) + b"1234\0"
    body = head + bytes([esm_class, 0, 0]) + b"\0\0" + bytes([0, 0, 0, 0, len(text)]) + text + more
    return struct.pack(">IIII", 16 + len(body), 5, 0, Numbered().next_sequence()) + body


def receipt(identifier: str, state: str = "DELIVRD", error: str = "000", moment: str = "2611221200") -> bytes:
    return (
        f"id:{identifier} sub:001 dlvrd:001 submit date:{moment} done date:{moment} stat:{state} "
        f"err:{error} text:Your device"
    ).encode()


class Session:
    seen: ClassVar[dict[str, int]] = {}
    count = 0

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: Path) -> None:
        self.reader, self.writer, self.log = reader, writer, log

    def note(self, **what: object) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps(what) + "\n")

    async def run(self) -> None:
        try:
            while True:
                header = await self.reader.readexactly(16)
                data = header + await self.reader.readexactly(struct.unpack(">I", header[:4])[0] - 16)
                unit = smpplib.smpp.parse_pdu(data, client=Numbered(), allow_unknown_opt_params=True)
                if not await self.take(unit):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.note(unit="lost")
        finally:
            self.writer.close()

    async def take(self, unit: Any) -> bool:
        if unit.command == "bind_transceiver":
            right = unit.password == PASSWORD.encode()
            self.note(unit="bind", system_id=unit.system_id.decode(), right=right)
            self.writer.write(
                make("bind_transceiver_resp", unit.sequence, 0 if right else 0x0E, system_id="smsc")
            )
        elif unit.command == "submit_sm":
            number = unit.destination_addr.decode()
            text = unit.short_message or b""
            self.note(
                unit="submit", to=number, source=unit.source_addr.decode(), esm_class=unit.esm_class,
                coding=unit.data_coding, text=text.hex(), payload=(unit.message_payload or b"").hex(),
                registered=unit.registered_delivery, validity=unit.validity_period.decode(),
            )  # fmt: skip
            Session.seen[number] = Session.seen.get(number, 0) + 1
            Session.count += 1
            deed = BEHAVIOUR.get(number[-2:], accepted)
            asyncio.get_running_loop().create_task(deed(self, unit, f"{0xAB0000 + Session.count:08X}"))
        elif unit.command == "enquire_link":
            self.note(unit="enquire_link")
            self.writer.write(make("enquire_link_resp", unit.sequence))
        elif unit.command == "deliver_sm_resp":
            self.note(unit="deliver_sm_resp", status=unit.status)
        elif unit.command == "unbind":
            self.note(unit="unbind")
            self.writer.write(make("unbind_resp", unit.sequence))
            return False
        else:
            self.note(unit=unit.command, status=unit.status)
        await self.writer.drain()
        return True

    def answer(self, unit: Any, identifier: str = "", status: int = 0) -> None:
        self.writer.write(make("submit_sm_resp", unit.sequence, status, message_id=identifier))

    def bring(self, data: bytes) -> None:
        self.writer.write(data)


async def accepted(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(delivery(receipt(identifier)))


async def refused(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, status=REFUSED)


async def throttled(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, status=THROTTLED)


async def silent(s: Session, unit: Any, identifier: str) -> None:
    s.note(unit="kept silent")


async def hangs_up(s: Session, unit: Any, identifier: str) -> None:
    s.writer.close()


async def undelivered(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(delivery(receipt(identifier, "UNDELIV", "00A", "261122120059")))


async def fields_only(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    named = identifier.encode() + b"\0"
    s.bring(delivery(b"", struct.pack(">HH", 0x1E, len(named)) + named + struct.pack(">HHB", 0x427, 1, 2)))


async def receipt_first(s: Session, unit: Any, identifier: str) -> None:
    s.bring(delivery(receipt(identifier)))
    await s.writer.drain()
    await asyncio.sleep(0.3)
    s.answer(unit, identifier)


async def vendor_field(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(delivery(receipt(identifier), struct.pack(">HH", 0x1400, 3) + b"\xff\xfe\x00"))


async def second_part_later(s: Session, unit: Any, identifier: str) -> None:
    if Session.seen[unit.destination_addr.decode()] == 2:
        return await throttled(s, unit, identifier)
    return await accepted(s, unit, identifier)


async def second_part_refused(s: Session, unit: Any, identifier: str) -> None:
    if Session.seen[unit.destination_addr.decode()] == 2:
        return await refused(s, unit, identifier)
    return await accepted(s, unit, identifier)


async def garbage_first(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(delivery(b"id: stat: '); DROP TABLE x; -- \xff\x00\x1b"))
    s.bring(struct.pack(">IIII", 20, 5, 0, 77) + b"\1\2\3\4")  # a whole unit with nothing of its kind in it
    s.bring(delivery(b"id:1 stat:DELIVRD", b"\x00"))  # a field that is cut off
    s.bring(struct.pack(">IIII", 16, 0x7777, 0, 78))  # of a kind that there is not
    s.bring(delivery(receipt(identifier)))


async def strange_status(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, status=0x500)


async def endless_unit(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(struct.pack(">IIII", 0xFFFFFFF0, 5, 0, 79))


async def somebody_writes(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(delivery(b"STOP", source=unit.destination_addr.decode(), esm_class=0))


async def ends_session(s: Session, unit: Any, identifier: str) -> None:
    s.answer(unit, identifier)
    s.bring(make("unbind", 80))


BEHAVIOUR: dict[str, Callable[[Session, Any, str], Coroutine[Any, Any, None]]] = {
    "01": refused, "02": throttled, "04": silent, "05": hangs_up, "06": undelivered, "07": fields_only,
    "08": receipt_first, "09": vendor_field, "10": second_part_later, "11": second_part_refused,
    "12": garbage_first, "13": strange_status, "14": endless_unit, "15": somebody_writes, "16": ends_session,
}  # fmt: skip


async def main() -> None:
    log = Path(sys.argv[1])
    tls = None
    if len(sys.argv) > 2:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.start_server(
        lambda reader, writer: Session(reader, writer, log).run(), "127.0.0.1", 0, ssl=tls
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
