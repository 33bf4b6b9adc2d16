"""Asks a running plant on each of its interfaces."""

import asyncio
from collections.abc import Sequence

import httpx

from ceir.equipment_check import EquipmentStatus, Question
from ceir.interfaces.gsup import codec as gsup
from ceir.interfaces.map import m3ua, tcap
from ceir.interfaces.map.asking import Asking, told
from ceir.interfaces.n17.codec import PATH, STATUS_WORDS
from ceir.interfaces.s13 import codec as diameter
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.codec import Node

MME = Node("mme.localdomain", "localdomain")
WORDS = {word: status for status, word in STATUS_WORDS.items()}
CODES = {
    0: EquipmentStatus.PERMITTED,
    1: EquipmentStatus.BLOCKED,
    2: EquipmentStatus.TRACKED,
    None: EquipmentStatus.UNKNOWN,
}


def n17(port: int, questions: Sequence[Question]) -> list[EquipmentStatus]:
    """By an AMF, all over one connection."""
    with httpx.Client(http1=False, http2=True, base_url=f"http://127.0.0.1:{port}") as http:
        return [_n17(http.get(PATH, params=_query(question))) for question in questions]


def _query(question: Question) -> dict[str, str]:
    assert question.imei is not None
    version = question.software_version
    pei = f"imei-{question.imei:014}0" if version is None else f"imeisv-{question.imei:014}{version:02}"
    return {"pei": pei} | ({} if question.imsi is None else {"supi": f"imsi-{str(question.imsi)[1:]}"})


def _n17(answer: httpx.Response) -> EquipmentStatus:
    if answer.status_code == 404 and answer.json()["cause"] == "ERROR_EQUIPMENT_UNKNOWN":
        return EquipmentStatus.UNKNOWN
    assert answer.status_code == 200, answer.text
    return WORDS[answer.json()["status"]]


class Diameter:
    """An MME with one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._number = reader, writer, 0

    @classmethod
    async def connected(cls, port: int) -> "Diameter":
        one = cls(*await asyncio.open_connection("127.0.0.1", port))
        one._writer.write(diameter.encode_cer(MME, 1, 1))
        await one._taken()
        return one

    async def ask(self, question: Question) -> EquipmentStatus:
        """Send a question and wait for its answer."""
        version, imsi = question.software_version, question.imsi
        asked = Asked(
            "s;1;1",
            f"{question.imei:014}",
            None if version is None else f"{version:02}",
            None if imsi is None else str(imsi)[1:],
            "localdomain",
        )
        self._number += 1
        self._writer.write(bytes(encode_check(MME, asked, self._number, self._number)))
        status = decode_answer((await self._taken())[20:]).status
        assert status is not None
        return status

    def close(self) -> None:
        self._writer.close()

    async def _taken(self) -> bytes:
        async with asyncio.timeout(10):
            head = await self._reader.readexactly(4)
            return head + await self._reader.readexactly(int.from_bytes(head[1:], "big") - 4)


def s13(port: int, questions: Sequence[Question]) -> list[EquipmentStatus]:
    """By an MME, all over one connection."""

    async def go() -> list[EquipmentStatus]:
        peer = await Diameter.connected(port)
        answers = [await peer.ask(question) for question in questions]
        peer.close()
        return answers

    return asyncio.run(go())


def map_(port: int, questions: Sequence[Question], version: int = 2) -> list[EquipmentStatus]:
    """By an MSC that is an IPSP, all over one association."""

    async def go() -> list[EquipmentStatus]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def taken() -> bytes:
            async with asyncio.timeout(10):
                while True:
                    head = await reader.readexactly(8)
                    rest = await reader.readexactly(int.from_bytes(head[4:], "big") - 8)
                    if head[2:4] != b"\0\1":  # notifications between
                        return head + rest

        for kind in (m3ua.ASPUP, m3ua.ASPAC):
            writer.write(m3ua.message(kind))
            await taken()
        answers = []
        for number, question in enumerate(questions):
            suffix = "" if question.software_version is None else f"{question.software_version:02}"
            imsi = None if question.imsi is None else str(question.imsi)[1:]
            writer.write(Asking().request(version, number, f"{question.imei:014}{suffix}", imsi=imsi))
            answers.append(CODES[told(await taken(), version).status])
        writer.close()
        return answers

    return asyncio.run(go())


def gsup_yes(port: int, questions: Sequence[Question]) -> list[bool]:
    """By an MSC of Osmocom: only yes or no."""

    async def go() -> list[bool]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def frame() -> bytes:
            async with asyncio.timeout(10):
                head = await reader.readexactly(3)
                return head[2:] + await reader.readexactly(head[0] << 8 | head[1])

        await frame()
        writer.write(gsup.frame(0xFE, b"\x05\x00\x05\x01MSC\0"))
        await frame()
        answers = []
        for question in questions:
            imsi = "999990123456789" if question.imsi is None else str(question.imsi)[1:]
            suffix = "" if question.software_version is None else f"{question.software_version:02}"
            writer.write(gsup.ask(f"{question.imei:014}{suffix}", imsi))
            answer = await frame()
            answers.append(dict(gsup.elements(answer[2:]))[gsup.IMEI_RESULT_IE] == b"\0")
        writer.close()
        return answers

    return asyncio.run(go())


def spoiled(interface: str, port: int) -> None:
    """One request that gets a refusal instead of a status: a short PEI, an unknown command, no IMEI."""
    if interface == "n17":
        assert httpx.get(f"http://127.0.0.1:{port}{PATH}", params={"pei": "imei-1"}).status_code == 400
        return

    async def go() -> None:
        if interface == "s13":
            peer = await Diameter.connected(port)
            asked = bytearray(
                encode_check(MME, Asked("s;1;1", "35209900176148", None, None, "localdomain"), 1, 1)
            )
            asked[5:8] = (999).to_bytes(3, "big")
            peer._writer.write(bytes(asked))
            await peer._taken()
            peer.close()
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            if interface == "gsup":
                await reader.readexactly(1)
                imsi = (gsup.IMSI_IE, gsup.packed("999990123456789"))
                writer.write(gsup.message(0x30, (imsi,)))
            else:
                for kind in (m3ua.ASPUP, m3ua.ASPAC):
                    writer.write(m3ua.message(kind))
                invoke = tcap.invoke(0, 44, b"\x04\x08" + bytes(8))
                writer.write(Asking().carry(tcap.begin(b"\0\0\0\1", b"", tcap.component_portion(invoke))))
            await reader.read(4096)
            await asyncio.sleep(0.5)
        writer.close()

    asyncio.run(go())
