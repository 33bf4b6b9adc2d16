"""The HTTP/2 side of the N17 load client, with the kept library `h2` as a server that forgives nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest
from hpack import Encoder

from ceir.equipment_check import Question
from ceir.interfaces.load import PeerRefusedError
from ceir.interfaces.n17.load import N17Caller, N17Load, target

QUESTIONS = [
    Question(35209900176150, 7, 1001010123456789),
    Question(35209900176148),
    Question(None, None, None),
]
TARGETS = [
    "/eir/n5g-eir-eic/v1/equipment-status?pei=imeisv-3520990017615007&supi=imsi-001010123456789",
    "/eir/n5g-eir-eic/v1/equipment-status?pei=imei-352099001761480",
    "/eir/n5g-eir-eic/v1/equipment-status?pei=imei-",
]
FRAME = tuple[int, int, int, bytes]
STREAMS = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS


class Wire:
    """A transport whose octets go to a server in memory and back, at once."""

    def __init__(self, settings: dict[int, int] | None = None) -> None:
        self.server = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self.server.initiate_connection()
        self.server.update_settings({STREAMS: 256, **(settings or {})})
        self.caller: N17Caller
        self.events: list[Any] = []
        self.open = True

    def write(self, data: bytes) -> None:
        self.events += self.server.receive_data(data)

    def flush(self) -> None:
        """Gives the server's octets to the client."""
        data = self.server.data_to_send()
        if data:
            self.caller.data_received(data)

    def raw(self, *frames: FRAME) -> None:
        """Gives frames to the client that the library would not send."""
        for kind, flags, stream, data in frames:
            octets = len(data).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + data
            self.caller.data_received(octets)

    def requests(self) -> list[dict[str, str]]:
        """The header fields of the requests so far, by the server's reading; they are forgotten then."""
        found = [dict(one.headers) for one in self.events if isinstance(one, h2.events.RequestReceived)]
        self.events = [one for one in self.events if not isinstance(one, h2.events.RequestReceived)]
        return found

    def answer(self, stream: int, status: int, body: object, *more: tuple[str, str]) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.send_headers(stream, [(":status", str(status)), *more])
        self.server.send_data(stream, data, end_stream=True)

    def set_write_buffer_limits(self, high: int) -> None:
        assert high > 0

    def get_extra_info(self, _name: str) -> None:
        return None

    def close(self) -> None:
        self.open = False

    abort = close


def with_wire(
    body: Callable[[Wire, N17Caller], None],
    settings: dict[int, int] | None = None,
    *,
    window: int = 256,
    token: str = "",
) -> None:
    """Runs the body with a client whose connection is ready, unless `settings` is None."""

    async def main() -> None:
        wire = Wire(settings)
        now = iter(range(1, 1_000_000))
        load = N17Load(
            QUESTIONS, "eir.example.org", 8080, window, lambda: float(next(now)), None, "/eir", token
        )
        made: list[N17Caller] = []

        async def connection(
            factory: Callable[[], N17Caller], *_: object, **__: object
        ) -> tuple[Wire, N17Caller]:
            made.append(factory())
            return wire, made[0]

        loop = asyncio.get_running_loop()
        loop.create_connection = connection  # type: ignore[assignment,method-assign]
        caller = await load.connect()
        assert isinstance(caller, N17Caller)
        wire.caller = caller
        caller.connection_made(wire)  # type: ignore[arg-type]
        body(wire, caller)

    asyncio.run(main())


def test_the_server_reads_every_request_as_it_was_meant() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        assert caller.ready.done()
        caller.ask([0.0] * 7)
        requests = wire.requests()
        assert [one[":path"] for one in requests] == [TARGETS[number % 3] for number in range(7)]
        for one in requests:
            assert {name: one[name] for name in (":method", ":scheme", ":authority")} == {
                ":method": "GET",
                ":scheme": "http",
                ":authority": "eir.example.org:8080",
            }
            assert one["authorization"] == "Bearer abc"
            assert "application/problem+json" in one["accept"]
        assert sorted(caller.due) == [1, 3, 5, 7, 9, 11, 13]

    with_wire(body, token="abc")


@pytest.mark.parametrize("table", [0, 1, 64, 4_095, 4_096, 65_536])
def test_a_server_may_have_any_header_table(table: int) -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        for _ in range(3):
            caller.ask([0.0] * 5)
        assert [one[":path"] for one in wire.requests()] == [TARGETS[number % 3] for number in range(15)]

    with_wire(body, {h2.settings.SettingCodes.HEADER_TABLE_SIZE: table})


def test_a_server_may_shrink_its_header_table_later() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0])
        wire.server.update_settings({h2.settings.SettingCodes.HEADER_TABLE_SIZE: 100})
        wire.flush()
        caller.ask([0.0, 0.0])
        assert [one[":authority"] for one in wire.requests()] == ["eir.example.org:8080"] * 3

    with_wire(body)


def test_answers_are_told_by_their_status_and_body() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0] * 12)
        unknown = {"status": 404, "cause": "ERROR_EQUIPMENT_UNKNOWN"}
        wire.answer(1, 200, {"status": "WHITELISTED"})
        wire.answer(3, 200, {"status": "GREYLISTED"})
        wire.answer(5, 200, {"status": "BLACKLISTED"})
        wire.answer(7, 404, unknown, ("content-type", "application/problem+json"))
        wire.answer(9, 404, {"status": 404, "cause": "RESOURCE_URI_STRUCTURE_NOT_FOUND"})
        wire.answer(11, 404, b"nothing here")
        wire.answer(13, 200, b"{")
        wire.answer(15, 200, {"status": "PURPLE"})
        wire.answer(17, 503, {"cause": ["x"]})
        wire.answer(19, 200, b"[]")
        wire.server.send_headers(21, [(":status", "204")], end_stream=True)
        wire.server.reset_stream(23, 7)
        wire.flush()
        assert caller.answers == {
            "permitted": 1,
            "tracked": 1,
            "blocked": 1,
            "unknown": 1,
            "http 404 RESOURCE_URI_STRUCTURE_NOT_FOUND": 1,
            "http 404": 1,
            "unreadable": 3,
            "http 503": 1,
            "http 204": 1,
            "stream reset 7": 1,
        }
        assert caller.due == {}
        assert caller.report().answered == 12

    with_wire(body)


def test_header_fields_that_change_do_not_confuse_answers_that_look_alike() -> None:
    """The server's table moves with every new date: the same octets mean another field then."""

    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        asked = 0
        for second in range(200):
            caller.ask([0.0] * 3)
            for status, word in ((200, "BLACKLISTED"), (404, ""), (503, "")):
                asked += 1
                body = {"status": word} if word else {"cause": "ERROR_EQUIPMENT_UNKNOWN"}
                wire.answer(
                    2 * asked - 1, status, body, ("date", f"day {second // 2}"), ("x", "y" * (second % 7))
                )
            wire.flush()
        assert caller.answers == {"blocked": 200, "unknown": 200, "http 503 ERROR_EQUIPMENT_UNKNOWN": 200}

    with_wire(body)


def test_answers_may_come_in_pieces_out_of_order_and_octet_by_octet() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0] * 3)
        server = wire.server
        for stream in (5, 1, 3):
            server.send_headers(stream, [(":status", "103")])
            server.send_headers(stream, [(":status", "200"), ("content-type", "application/json")])
        for piece in (b'{"status":', b'"BLACK', b'LISTED"}'):
            for stream in (1, 5, 3):
                server.send_data(stream, piece, pad_length=stream)
        server.send_headers(1, [("grpc-status", "0")], end_stream=True)
        server.end_stream(3)
        server.send_data(5, b"", end_stream=True, pad_length=9)
        for octet in server.data_to_send():
            caller.data_received(bytes((octet,)))
        assert caller.answers == {"blocked": 3}

    with_wire(body)


def test_a_header_block_may_come_padded_prioritised_and_in_pieces() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0] * 2)
        block = Encoder().encode([(":status", "404"), ("x", "y" * 50)])
        padded = b"\x03" + b"\0\0\0\0\x10" + block[:20] + b"\0\0\0"
        problem = b'{"cause":"ERROR_EQUIPMENT_UNKNOWN"}'
        wire.raw((1, 0x8 | 0x20, 1, padded), (9, 0, 1, block[20:30]), (9, 0x4, 1, block[30:]))
        wire.raw((0, 0x1, 1, problem))
        wire.raw((1, 0x1, 3, block[:1]), (9, 0x4, 3, b""))
        assert caller.answers == {"unknown": 1, "http 404": 1}

    with_wire(body)


def test_pings_and_settings_are_acknowledged_and_windows_opened() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        wire.server.ping(b"8 octets")
        wire.flush()
        kinds = [type(one) for one in wire.events]
        assert kinds.count(h2.events.PingAckReceived) == 1
        assert kinds.count(h2.events.SettingsAcknowledged) == 2
        assert wire.server.outbound_flow_control_window == 2**31 - 1
        assert caller.room == 256

    with_wire(body)


def test_the_window_is_no_wider_than_the_server_allows() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        assert caller.window == 256
        wire.flush()
        assert caller.room == 100
        caller.ask([0.0] * 100)
        assert caller.room == 0
        wire.server.update_settings({STREAMS: 500})
        wire.flush()
        assert caller.room == 156

    with_wire(body, {STREAMS: 100})


def test_nothing_is_asked_after_the_server_says_good_bye() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0])
        # Not by the library: it would not answer any more.
        wire.raw((7, 0, 0, bytes(8)))
        assert caller.room == 0
        wire.answer(1, 200, {"status": "WHITELISTED"})
        wire.flush()
        assert caller.answers == {"permitted": 1}

    with_wire(body)


def test_a_connection_without_stream_numbers_left_asks_nothing_more() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller._stream = 2**31 - 1 - 2 * 256
        assert caller.room == 0
        caller._stream -= 2
        assert caller.room == 256

    with_wire(body)


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46 and more",
        b"\0\0\x08\x06\0\0\0\0\0" + bytes(8),
        b"\xff" * 20,
    ],
)
def test_what_is_not_http2_refuses(octets: bytes) -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        caller.data_received(octets)
        assert not wire.open
        error = caller.ready.exception()
        assert isinstance(error, PeerRefusedError)
        assert error.hint

    with_wire(body)


@pytest.mark.parametrize(
    "frames",
    [
        [(1, 0x4, 1, b"\xff\xff\xff\xff\xff\xff\xff")],
        [(9, 0x4, 1, b"\x88")],
        [(1, 0, 1, bytes(16_000)), *[(9, 0, 1, bytes(16_000))] * 5],
        [(0, 0, 1, bytes(20_000))],
    ],
)
def test_a_server_that_breaks_the_rules_is_left(frames: list[FRAME]) -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.ask([0.0])
        wire.raw(*frames)
        assert not wire.open

    with_wire(body)


def test_leave_is_taken_as_the_protocol_asks() -> None:
    def body(wire: Wire, caller: N17Caller) -> None:
        wire.flush()
        caller.leave()
        assert [type(one) for one in wire.events][-1] is h2.events.ConnectionTerminated
        assert not wire.open
        caller.connection_lost(None)
        assert not caller.closed
        assert caller.gone.done()

    with_wire(body)


@pytest.mark.parametrize(("question", "path"), list(zip(QUESTIONS, TARGETS, strict=True)))
def test_a_question_is_asked_in_the_words_of_the_api(question: Question, path: str) -> None:
    assert target(question, "/eir") == path
