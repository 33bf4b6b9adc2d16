"""Sockets for M3UA: SCTP where the kernel has it, TCP with the same code where it has not."""

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ceir.interfaces.map import m3ua
from ceir.interfaces.map.errors import M3uaError, TransportError

IPPROTO_SCTP: Final = 132
_SCTP_INITMSG, _SCTP_NODELAY, _SCTP_DEFAULT_SEND_PARAM, _SCTP_STATUS = 2, 3, 10, 14
_SCTP_SNDRCV: Final = 1
_INITMSG = struct.Struct("=HHHH")
_SNDRCV = struct.Struct("=HHHxxIIIIIi")
_STATUS = struct.Struct("=iiIHHHH")
_STREAMS: Final = 16
_READ: Final = 32_768
_MANAGEMENT_STREAM: Final = 0
_DATA_STREAM: Final = 1


class Transport(Enum):
    """What carries M3UA."""

    SCTP = "sctp"
    TCP = "tcp"


@dataclass(frozen=True)
class LinkLimits:
    """Bounds of one association.

    Args:
        max_message: octets of one M3UA message.
        high: octets waiting to be sent above which nothing more is read from the peer.
        low: octets below which reading goes on.
        stall: seconds after which a peer that takes nothing any more is dropped.
    """

    max_message: int = 8192
    high: int = 1_048_576
    low: int = 262_144
    stall: float = 20.0


def sctp_available() -> bool:
    """Whether this kernel has SCTP."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


def open_socket(transport: Transport, family: int = socket.AF_INET) -> socket.socket:
    """A non-blocking socket with the options of M3UA (RFC 4666 1.4.7: payload protocol identifier 3).

    Raises:
        TransportError: the kernel has no SCTP.
    """
    try:
        made = socket.socket(family, socket.SOCK_STREAM, IPPROTO_SCTP if transport is Transport.SCTP else 0)
    except OSError as error:
        raise TransportError(
            f"no {transport.value} socket: {error.strerror}", "Use TCP, or load the kernel's sctp module."
        ) from None
    made.setblocking(False)
    if transport is Transport.SCTP:
        made.setsockopt(IPPROTO_SCTP, _SCTP_INITMSG, _INITMSG.pack(_STREAMS, _STREAMS, 0, 0))
    return made


class Link:
    """One socket: whole M3UA messages in, whole messages out, bounded on both sides.

    On SCTP every message is one send: DATA on stream 1, all else on stream 0.

    Args:
        receive: takes the messages of one read and gives those to send back.
        closed: told once, with the reason.
    """

    def __init__(
        self,
        made: socket.socket,
        receive: Callable[["Link", list[bytes]], list[bytes]],
        closed: Callable[["Link", str], None],
        limits: LinkLimits,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._socket = made
        self._receive = receive
        self._closed = closed
        self._limits = limits
        self._loop = loop
        self._buffer = b""
        self._waiting: deque[bytes] = deque()
        self._waiting_octets = 0
        self._stalled_since: float | None = None
        self._reading = False
        self._open = True
        self._sctp = made.proto == IPPROTO_SCTP
        self._whole = self._sctp or made.type == socket.SOCK_SEQPACKET
        self.received = 0
        """Reads that brought something; who watches for silence compares it."""

    def start(self) -> None:
        """Begin to read.

        Raises:
            TransportError: the SCTP association has a single outbound stream: DATA may not be sent at all.
        """
        if self._sctp:
            self._prepare_sctp()
        elif self._socket.family in {socket.AF_INET, socket.AF_INET6}:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read_on()

    @property
    def is_open(self) -> bool:
        """Not closed yet."""
        return self._open

    @property
    def waiting(self) -> int:
        """Octets not yet taken by the kernel."""
        return self._waiting_octets

    def send(self, messages: list[bytes]) -> None:
        """Send messages in order; what the kernel does not take waits."""
        if not messages or not self._open:
            return
        if not self._whole:
            messages = [b"".join(messages)]
        if self._waiting:
            self._wait(messages)
            return
        for index, message in enumerate(messages):
            taken = self._give(message)
            if taken is None:
                return
            if taken < len(message):
                self._wait([message[taken:], *messages[index + 1 :]])
                self._loop.add_writer(self._socket, self._writable)
                return

    def close(self, reason: str) -> None:
        """Close at once; what waits is lost."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        self._waiting.clear()
        self._buffer = b""
        self._closed(self, reason)

    def check(self, now: float) -> None:
        """Drop a peer that has taken nothing for too long; to be called now and then."""
        if self._stalled_since is None:
            return
        if now - self._stalled_since > self._limits.stall:
            self.close("the peer takes nothing any more")

    def _prepare_sctp(self) -> None:
        self._socket.setsockopt(IPPROTO_SCTP, _SCTP_NODELAY, 1)
        self._socket.setsockopt(IPPROTO_SCTP, _SCTP_DEFAULT_SEND_PARAM, _send_information(_DATA_STREAM))
        status = self._socket.getsockopt(IPPROTO_SCTP, _SCTP_STATUS, 256)
        if len(status) >= _STATUS.size and _STATUS.unpack_from(status)[6] < 2:
            raise TransportError("the association has one stream, and DATA may not use stream 0")

    def _read_on(self) -> None:
        if not self._reading and self._open:
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.close(f"reading failed: {error.strerror}")
            return
        if not data:
            self.close("the peer closed")
            return
        self.received += 1
        try:
            messages = self._split(data)
        except M3uaError as error:
            if error.error is not None:
                self.send([m3ua.error(error.error)])
            self.close(error.detail)
            return
        if messages:
            self.send(self._receive(self, messages))

    def _split(self, data: bytes) -> list[bytes]:
        if self._buffer:
            data = self._buffer + data
        limit = self._limits.max_message
        messages: list[bytes] = []
        at, end = 0, len(data)
        while end - at >= m3ua.HEADER:
            size = m3ua.length(data, at, limit)
            if at + size > end:
                break
            messages.append(data[at : at + size])
            at += size
        self._buffer = data[at:]
        return messages

    def _give(self, message: bytes) -> int | None:
        """How much the kernel took; None: the link is closed now."""
        try:
            if self._sctp and message[2] != m3ua.TRANSFER:
                info = [(IPPROTO_SCTP, _SCTP_SNDRCV, _send_information(_MANAGEMENT_STREAM))]
                return self._socket.sendmsg([message], info)
            return self._socket.send(message)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self.close(f"sending failed: {error.strerror}")
            return None

    def _wait(self, messages: list[bytes]) -> None:
        self._waiting.extend(messages)
        self._waiting_octets += sum(map(len, messages))
        if self._stalled_since is None:
            self._stalled_since = self._loop.time()
        if self._waiting_octets > self._limits.high and self._reading:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def _writable(self) -> None:
        while self._waiting:
            message = self._waiting[0]
            taken = self._give(message)
            if taken is None:
                return
            if taken:
                self._waiting_octets -= taken
                self._stalled_since = self._loop.time()
            if taken < len(message):
                self._waiting[0] = message[taken:]
                break
            self._waiting.popleft()
        if not self._waiting:
            self._stalled_since = None
            self._loop.remove_writer(self._socket)
        if self._waiting_octets < self._limits.low:
            self._read_on()


def _send_information(stream: int) -> bytes:
    return _SNDRCV.pack(stream, 0, 0, socket.htonl(m3ua.PAYLOAD_PROTOCOL), 0, 0, 0, 0, 0)


async def connected(
    transport: Transport, host: str, port: int, timeout: float, local: tuple[str, int] | None = None
) -> socket.socket:
    """A connected socket; `local`: the address and port (0: any) to connect from.

    Raises:
        TransportError: nobody answers there in time.
    """
    made = open_socket(transport, socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if local is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(local)
        async with asyncio.timeout(timeout):
            await asyncio.get_running_loop().sock_connect(made, (host, port))
    except (OSError, TimeoutError) as error:
        made.close()
        raise TransportError(f"no association with {host}:{port}: {error or 'no answer'}") from None
    except BaseException:
        with contextlib.suppress(OSError):
            made.close()
        raise
    return made


def listening(
    transport: Transport, host: str, port: int, backlog: int = 128, shared: bool = False
) -> socket.socket:
    """A listening socket; `shared`: several processes listen on the same port.

    Raises:
        TransportError: the address cannot be had.
    """
    made = open_socket(transport, socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        made.listen(backlog)
    except OSError as error:
        made.close()
        raise TransportError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return made
