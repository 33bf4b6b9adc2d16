"""An exchange as far as asking goes, over SCTP or TCP, and the questions that it asks."""

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.map import m3ua
from ceir.interfaces.map.asking import Asking, Told, told
from ceir.interfaces.map.association import Association, AssociationOptions, Role, State
from ceir.interfaces.map.transport import Link, LinkLimits, Transport, connected
from vectors import VECTORS

UNKNOWN_EQUIPMENT = 7
_STATUS = {EquipmentStatus.PERMITTED: 0, EquipmentStatus.BLOCKED: 1, EquipmentStatus.TRACKED: 2}


class Question(NamedTuple):
    """A DATA message with its transaction id, and what is right to answer.

    Args:
        appended: an IMSI follows the IMEI, which is no standard form.
    """

    version: int
    transaction: int
    message: bytes
    status: int | None
    appended: bool

    def wrong(self, answer: bytes) -> Told | None:
        """What the answer says, if it is not right."""
        got = told(answer, self.version)
        error = UNKNOWN_EQUIPMENT if self.status is None else None
        right = got.transaction == self.transaction.to_bytes(4, "big") and got.status == self.status
        return None if right and got.error == error else got


def questions(asking: Asking, first: int = 1) -> Iterator[Question]:
    """The shared vectors in all three versions; transactions count up from `first`."""
    for version in (1, 2, 3):
        for question, answer in VECTORS:
            if question.imsi is not None and version == 3:
                continue
            tail = "" if question.software_version is None else f"{question.software_version:02d}"
            imsi = None if question.imsi is None else str(question.imsi)[1:]
            message = asking.request(version, first, f"{question.imei:014d}{tail}", imsi=imsi, sls=first & 15)
            yield Question(version, first, message, _STATUS.get(answer.status), imsi is not None)
            first += 1


class Exchange:
    """One association of an exchange with a gateway or an EIR."""

    def __init__(self, role: Role, options: AssociationOptions) -> None:
        self.association = Association(role, options)
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._link: Link | None = None

    async def connect(
        self, transport: Transport, host: str, port: int, local: tuple[str, int] | None = None
    ) -> None:
        """Opens the association and waits until it is active."""
        made = await connected(transport, host, port, 30, local)
        loop = asyncio.get_running_loop()
        self._link = Link(made, self._receive, lambda _link, _why: None, LinkLimits(), loop)
        self._link.start()
        self.send(*self.association.opening())
        async with asyncio.timeout(60):
            while self.association.state is not State.ACTIVE:
                await asyncio.sleep(0.02)

    def send(self, *messages: bytes) -> None:
        assert self._link is not None
        self._link.send(list(messages))

    async def take(self) -> bytes:
        """The next DATA message."""
        async with asyncio.timeout(60):
            return await self._answers.get()

    def close(self) -> None:
        assert self._link is not None
        self._link.close("done")

    def _receive(self, _link: Link, messages: list[bytes]) -> list[bytes]:
        replies: list[bytes] = []
        for message in messages:
            if message[2] == m3ua.TRANSFER:
                self._answers.put_nowait(message)
            else:
                replies.extend(self.association.receive(message).replies)
        return replies
