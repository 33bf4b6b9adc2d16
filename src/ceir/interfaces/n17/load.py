"""Load for an N17 server: what an AMF asks, as fast as is wanted, over HTTP/2.

Header fields are packed and unpacked by the kept library `hpack`, frames are cut here: of each request there
is one to send and two to read. With the library `h2` for the frames, too, this client took several times the
processor time of the server, and no load could have been put on.
"""

import asyncio
import itertools
import json
import ssl
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

from hpack import Decoder, Encoder, HPACKError, NeverIndexedHeaderTuple

from ceir.equipment_check import EquipmentStatus, Question
from ceir.interfaces.load.calling import WORDS_KEPT, Caller, Clock, PeerRefusedError
from ceir.interfaces.n17.codec import PATH, STATUS_WORDS
from ceir.interfaces.n17.problems import Cause

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEAD: Final = struct.Struct(">IBI")
"""Length and type of a frame in one number, flags, stream."""

_STREAM: Final = struct.Struct(">I")
_SETTING: Final = struct.Struct(">HI")
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW, _CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
_ACK = _END_STREAM = 0x1
_END_HEADERS, _PADDED, _PRIORITY = 0x4, 0x8, 0x20
_HEADER_TABLE_SIZE, _ENABLE_PUSH, _MAX_STREAMS, _INITIAL_WINDOW, _MAX_FRAME = 1, 2, 3, 4, 5
_LARGEST_FRAME: Final = 16_384
_LARGEST_WINDOW: Final = 2**31 - 1
_FIRST_WINDOW: Final = 65_535
_STREAM_WINDOW: Final = 1 << 20
_REFILL: Final = 1 << 30
_LAST_STREAM: Final = 2**31 - 1
_TABLE: Final = 4_096
_MOST_HEADER_BYTES: Final = 1 << 16
_HIGH: Final = 1 << 18

_STATUS_OF: Final = {word: status.value for status, word in STATUS_WORDS.items()}


def target(question: Question, prefix: str = "") -> str:
    """Path and query of a question as an AMF asks it.

    Args:
        prefix: deployment-specific part before the API's name, like `/eir`.
    """
    if question.imei is None:
        pei = "imei-"
    elif question.software_version is None:
        pei = f"imei-{question.imei:014}0"
    else:
        pei = f"imeisv-{question.imei:014}{question.software_version:02}"
    return f"{prefix}{PATH}?pei={pei}" + (f"&supi=imsi-{str(question.imsi)[1:]}" if question.imsi else "")


@dataclass
class N17Load:
    """Makes connections to a server that all draw from the same questions.

    Args:
        tls: None: HTTP/2 with prior knowledge.
        prefix: see `target`.
        token: access token to show; empty: none.
    """

    questions: Sequence[Question]
    host: str
    port: int
    window: int
    clock: Clock
    tls: ssl.SSLContext | None = None
    prefix: str = ""
    token: str = ""

    def __post_init__(self) -> None:
        self._targets = itertools.cycle(
            [_literal(":path", target(question, self.prefix)) for question in self.questions]
        )
        if self.tls is not None:
            self.tls.set_alpn_protocols(["h2"])

    async def connect(self) -> Caller:
        """One more connection.

        Raises:
            OSError: there is none.
        """
        loop = asyncio.get_running_loop()
        host = f"[{self.host}]" if ":" in self.host else self.host
        fields = (
            (
                (":method", "GET"),
                (":scheme", "http" if self.tls is None else "https"),
                (":authority", f"{host}:{self.port}"),
            ),
            (
                ("user-agent", "AMF"),
                ("accept", "application/json, application/problem+json"),
                *([("authorization", f"Bearer {self.token}")] if self.token else []),
            ),
        )
        _, caller = await loop.create_connection(
            lambda: N17Caller(self._targets, fields, self.window, self.clock),
            self.host,
            self.port,
            ssl=self.tls,
        )
        return caller


Fields = Sequence[tuple[str, str]]


def _literal(name: str, value: str) -> bytes:
    """A header field that no table keeps: its bytes are the same on every connection.

    Why never indexed: the value holds identities. Source: RFC 7541 clause 7.1.3.
    """
    return Encoder().encode([NeverIndexedHeaderTuple(name, value)])


class N17Caller(Caller, asyncio.Protocol):
    """One connection: settings exchanged, then requests within a window.

    Args:
        targets: the encoded `:path` of each request.
        fields: header fields before and behind it.
    """

    def __init__(
        self, targets: Iterator[bytes], fields: tuple[Fields, Fields], window: int, clock: Clock
    ) -> None:
        super().__init__(window, clock)
        self._targets = targets
        self._fields = fields
        self._wanted = window
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._stream = -1
        self._around: tuple[bytes, bytes] | None = None
        self._encoder = Encoder()
        self._decoder = Decoder(_MOST_HEADER_BYTES)
        self._going_away = False
        self._taken = 0
        self._status_of: dict[bytes, int] = {}
        self._word_of: dict[tuple[int, bytes], str] = {}
        # What is known of unfinished answers: the status; pieces of header blocks and of bodies.
        self._status: dict[int, int] = {}
        self._block: tuple[int, int, bytes] | None = None
        self._bodies: dict[int, bytes] = {}

    @property
    def room(self) -> int:
        """How many more requests may be sent now."""
        # After 2**30 requests a connection has no stream numbers left; nor has one that the server ends.
        return 0 if self._going_away or self._stream >= _LAST_STREAM - 2 * self.window else super().room

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        # Not asserted: a transport of uvloop is of no class of asyncio's.
        transport = cast(asyncio.Transport, transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH)
        encrypted = transport.get_extra_info("ssl_object")
        if encrypted is not None and encrypted.selected_alpn_protocol() != "h2":
            self._refuse("The server does not choose HTTP/2 by ALPN.")
            return
        settings = _SETTING.pack(_ENABLE_PUSH, 0) + _SETTING.pack(_INITIAL_WINDOW, _STREAM_WINDOW)
        more = _STREAM.pack(_LARGEST_WINDOW - _FIRST_WINDOW)
        transport.write(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, more))

    def transmit(self, due: Sequence[float]) -> None:
        """Sends a request for each time."""
        assert self._transport is not None
        out: list[bytes] = []
        stream, targets, pending, around = self._stream, self._targets, self.due, self._around
        for when in due:
            stream += 2
            pending[stream] = when
            before, behind = around or self._packed()
            path = next(targets)
            size = len(before) + len(path) + len(behind)
            out += (
                _HEAD.pack(size << 8 | _HEADERS, _END_STREAM | _END_HEADERS, stream),
                before,
                path,
                behind,
            )
            if around is None:
                # The first request put the fields into the server's table; all others only point there.
                around = self._around = self._packed()
        self._stream = stream
        self._transport.write(b"".join(out))

    def take_leave(self) -> None:
        """Tells the server that nothing more comes."""
        assert self._transport is not None
        self._transport.write(_frame(_GOAWAY, 0, 0, bytes(8)))
        self._transport.close()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        assert self._transport is not None
        block = self._rest + data if self._rest else data
        at, end = 0, len(block)
        now = self.clock()
        while end - at >= 9:
            first, flags, stream = _HEAD.unpack_from(block, at)
            size, kind = first >> 8, first & 0xFF
            start, stop = at + 9, at + 9 + size
            if size > _LARGEST_FRAME or (kind != _SETTINGS and not self.ready.done()):
                self._refuse("The server does not speak HTTP/2.")
                return
            if stop > end:
                break
            at = stop
            if kind == _DATA:
                self._taken += size
                self._body(stream, flags, _unpadded(flags, block, start, stop), now)
            elif kind == _HEADERS and not flags & (_PADDED | _PRIORITY) and flags & _END_HEADERS:
                self._headers(stream, flags, block[start:stop], now)
            elif not self._other(kind, flags, stream & _LAST_STREAM, block[start:stop], now):
                return
        self._rest = block[at:]
        if self._taken >= _REFILL:
            self._transport.write(_frame(_WINDOW, 0, 0, _STREAM.pack(self._taken)))
            self._taken = 0
        self.taken(now)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the event loop's signature
        """Called by the event loop."""
        self.lost(
            PeerRefusedError(
                "The server closed the connection before it told its settings.",
                "Is it HTTP/2 that is served there, and TLS only where the server has it?",
            )
        )

    def _packed(self) -> tuple[bytes, bytes]:
        before, behind = self._fields
        return self._encoder.encode(before), self._encoder.encode(behind)

    def _headers(self, stream: int, flags: int, block: bytes, now: float) -> None:
        status = self._status_of.get(block)
        if status is None:
            status = self._decoded(block)
            if status is None:
                return
        if flags & _END_STREAM:
            # Perhaps the trailer of an answer whose status came before.
            self._finish(stream, self._status.pop(stream, status), self._bodies.pop(stream, b""), now)
        elif status >= 200:
            self._status[stream] = status

    def _decoded(self, block: bytes) -> int | None:
        """The status in a header block, 0 without one; None: the connection cannot go on."""
        try:
            fields = self._decoder.decode(block, raw=True)
        except HPACKError:
            self._refuse("The server's header fields cannot be read.")
            return None
        told = next((bytes(value) for name, value, *_ in fields if bytes(name) == b":status"), b"")
        status = int(told) if len(told) == 3 and told.isdigit() else 0
        # A block of pointers into the table means the same as long as the table does not change.
        if any(octet < 0x80 or octet == 0xFF for octet in block):
            self._status_of.clear()
        elif len(self._status_of) < WORDS_KEPT:
            self._status_of[block] = status
        return status

    def _body(self, stream: int, flags: int, data: bytes, now: float) -> None:
        if not flags & _END_STREAM:
            self._bodies[stream] = self._bodies.get(stream, b"") + data
            return
        if stream in self._bodies:
            data = self._bodies.pop(stream) + data
        self._finish(stream, self._status.pop(stream, 0), data, now)

    def _finish(self, stream: int, status: int, body: bytes, now: float) -> None:
        word = self._word_of.get((status, body))
        if word is None:
            word = _word(status, body)
            if len(self._word_of) < WORDS_KEPT:
                self._word_of[status, body] = word
        self.answer(stream, word, now)

    def _other(self, kind: int, flags: int, stream: int, data: bytes, now: float) -> bool:
        """Heeds a rarer frame; false: the connection is of no use any more."""
        assert self._transport is not None
        if kind == _SETTINGS and not flags & _ACK:
            self._heed(data)
            self._transport.write(_frame(_SETTINGS, _ACK, 0, b""))
            if not self.ready.done():
                self.ready.set_result(None)
        elif kind == _PING and not flags & _ACK:
            self._transport.write(_frame(_PING, _ACK, 0, data))
        elif kind == _RESET and len(data) == 4:
            self._status.pop(stream, None)
            self._bodies.pop(stream, None)
            self.answer(stream, f"stream reset {_STREAM.unpack(data)[0]}", now)
        elif kind == _GOAWAY:
            self._going_away = True
        elif kind in (_HEADERS, _CONTINUATION):
            return self._pieces(kind, flags, stream, data, now)
        return True

    def _heed(self, settings: bytes) -> None:
        for name, value in _SETTING.iter_unpack(settings[: len(settings) // 6 * 6]):
            if name == _MAX_STREAMS:
                self.window = max(1, min(self._wanted, value))
            elif name == _HEADER_TABLE_SIZE and value < _TABLE:
                # In a smaller table what the first request put there might not be there any more.
                self._encoder.header_table_size = 0
                self._around = None

    def _pieces(self, kind: int, flags: int, stream: int, data: bytes, now: float) -> bool:
        """Puts a header block together that comes in several frames or with padding."""
        if kind == _HEADERS:
            data = _unpadded(flags, data, 0, len(data))
            self._block = (stream, flags, data[5:] if flags & _PRIORITY else data)
        elif self._block is not None:
            self._block = (*self._block[:2], self._block[2] + data)
        if self._block is None or len(self._block[2]) > _MOST_HEADER_BYTES:
            self._refuse("The server's header fields cannot be read.")
            return False
        if flags & _END_HEADERS:
            (stream, first, block), self._block = self._block, None
            self._headers(stream, first, block, now)
        return True

    def _refuse(self, detail: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(
                PeerRefusedError(detail, "Name the port of an N17 service, and --tls if it has TLS.")
            )
        self.abort()


def _frame(kind: int, flags: int, stream: int, data: bytes) -> bytes:
    return _HEAD.pack(len(data) << 8 | kind, flags, stream) + data


def _unpadded(flags: int, block: bytes, start: int, stop: int) -> bytes:
    if flags & _PADDED and stop > start:
        return block[start + 1 : max(start + 1, stop - block[start])]
    return block[start:stop]


def _word(status: int, body: bytes) -> str:
    """What an answer says: a status of equipment, or the HTTP status with the cause."""
    try:
        document = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        document = {}
    told = document if isinstance(document, dict) else {}
    if status == 200:
        return _STATUS_OF.get(str(told.get("status")), "unreadable")
    cause = told.get("cause")
    if status == 404 and cause == Cause.EQUIPMENT_UNKNOWN:
        return EquipmentStatus.UNKNOWN.value
    return f"http {status} {cause}" if isinstance(cause, str) and len(cause) <= 64 else f"http {status}"
