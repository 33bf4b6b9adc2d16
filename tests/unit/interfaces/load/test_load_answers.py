"""What the Diameter and MAP load clients make of answers that our servers never give, and of broken ones."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ceir.equipment_check import Question
from ceir.interfaces.load import PeerRefusedError
from ceir.interfaces.map import check_imei, m3ua, sccp, tcap
from ceir.interfaces.map.asking import Asking
from ceir.interfaces.map.load import MapCaller, MapLoad
from ceir.interfaces.map.transport import Link, LinkLimits, Transport
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import encode, encode_unsigned
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.load import MessageCarrier, S13Caller, S13Load

EIR = Node("eir.example.org", "example.org")
MME = Node("mme.example.org", "home.example.org")
QUESTIONS = [Question(35209900176150, 7, 1001010123456789), Question(35209900176148)]


def run(body: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), 30))


# --- Diameter


async def diameter() -> tuple[S13Caller, socket.socket]:
    """A client on a socket that keeps messages apart, as SCTP does, and the other end of it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.setblocking(False)
    there.setblocking(False)
    caller = S13Caller(S13Load(MME, QUESTIONS, "", 0, 8, 1, time.perf_counter))
    MessageCarrier(here, caller, asyncio.get_running_loop())
    return caller, there


async def take(there: socket.socket) -> bytes:
    return await asyncio.get_running_loop().sock_recv(there, 65_536)


async def introduced() -> tuple[S13Caller, socket.socket]:
    caller, there = await diameter()
    request = codec.read_header(await take(there), 0, 10_000)
    there.send(codec.encode_cea(EIR, request, d.Result.SUCCESS))
    await caller.ready
    return caller, there


def reply(request: bytes, *attributes: bytes) -> bytes:
    header = codec.read_header(request, 0, 10_000)
    session = request[20 : 20 + (int.from_bytes(request[25:28], "big") + 3 & -4)]
    body = session + b"".join(attributes) + EIR.origin
    return codec.encode_message(
        header.command, 0, header.application, header.hop_by_hop, header.end_to_end, body
    )


def test_each_message_goes_out_by_itself_and_sessions_differ() -> None:
    async def body() -> None:
        caller, there = await introduced()
        caller.ask([0.0] * 4)
        messages = [await take(there) for _ in range(4)]
        assert [int.from_bytes(one[1:4], "big") for one in messages] == [len(one) for one in messages]
        assert len({one[12:16] for one in messages}) == 4
        assert len({one[20:60] for one in messages}) == 4
        assert all(b"example.org" in one and b"home.example.org" in one for one in messages)
        for message in messages:
            there.send(
                reply(message, encode_unsigned(d.RESULT_CODE, 2001), encode_unsigned(d.EQUIPMENT_STATUS, 1))
            )
        while caller.due:
            await asyncio.sleep(0.001)
        assert caller.answers == {"blocked": 4}
        caller.leave()
        leaving = codec.read_header(await take(there), 0, 10_000)
        assert (leaving.command, leaving.is_request) == (d.Command.DISCONNECT_PEER, True)
        there.send(codec.encode_dpa(EIR, leaving))
        await caller.gone
        assert not caller.closed
        there.close()

    run(body)


def test_diameter_answers_are_told_by_their_result() -> None:
    async def body() -> None:
        caller, there = await introduced()
        caller.ask([0.0] * 5)
        asked = [await take(there) for _ in range(5)]
        there.send(reply(asked[0], encode_unsigned(d.RESULT_CODE, 3004)))
        there.send(reply(asked[1], encode_unsigned(d.RESULT_CODE, 2001)))
        there.send(
            reply(asked[2], encode_unsigned(d.RESULT_CODE, 2001), encode_unsigned(d.EQUIPMENT_STATUS, 9))
        )
        there.send(reply(asked[3], encode(d.RESULT_CODE, b"\0")))
        there.send(reply(asked[3], encode_unsigned(d.RESULT_CODE, 3004)))
        while len(caller.due) > 1 or not caller.answers["unasked"]:
            await asyncio.sleep(0.001)
        assert caller.answers == {"result 3004": 1, "result 2001": 2, "unreadable": 1, "unasked": 1}
        assert caller.report().answered == 4
        there.close()
        await caller.gone
        assert caller.closed

    run(body)


def test_the_server_s_watchdog_is_answered_and_its_farewell_heeded() -> None:
    async def body() -> None:
        caller, there = await introduced()
        there.send(codec.encode_dwr(EIR, 7, 8))
        assert codec.read_header(await take(there), 0, 10_000).command == d.Command.DEVICE_WATCHDOG
        there.send(codec.encode_dpr(EIR, d.DisconnectCause.REBOOTING, 9, 10))
        assert codec.read_header(await take(there), 0, 10_000).command == d.Command.DISCONNECT_PEER
        await caller.gone
        assert caller.room == 0
        there.close()

    run(body)


@pytest.mark.parametrize("octets", [bytes(24), b"\1\0\0\x15" + bytes(20), b"\2" * 64])
def test_octets_that_are_no_diameter_end_the_connection(octets: bytes) -> None:
    async def body() -> None:
        caller, there = await diameter()
        await take(there)
        there.send(octets)
        with pytest.raises(PeerRefusedError):
            await caller.ready
        there.close()

    run(body)


def test_what_the_kernel_does_not_take_waits_and_stops_further_requests() -> None:
    async def body() -> None:
        caller, there = await introduced()
        caller.window = 100_000
        for _ in range(400):
            if not caller.room:
                break
            caller.ask([0.0] * 50)
        assert caller.room == 0
        assert caller.sent > 1_000
        got = 0
        while got < caller.sent:
            message = await take(there)
            assert int.from_bytes(message[1:4], "big") == len(message)
            got += 1
        await asyncio.sleep(0.01)
        assert caller.room > 0
        there.close()

    run(body)


# --- MAP


async def signalling(versions: tuple[int, ...] = (3,)) -> tuple[MapCaller, socket.socket, Asking]:
    """An active client on a socket that keeps messages apart, and the other end of it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here.setblocking(False)
    there.setblocking(False)
    loop = asyncio.get_running_loop()
    load = MapLoad(QUESTIONS, "", 0, 8, time.perf_counter, Transport.TCP, versions)
    caller = load.caller()
    caller.begin(Link(here, caller.receive, caller.ended, LinkLimits(), loop))
    assert (await take(there))[2:4] == bytes(m3ua.ASPUP)
    there.send(m3ua.message(m3ua.ASPUP_ACK))
    assert (await take(there))[2:4] == bytes(m3ua.ASPAC)
    there.send(m3ua.message(m3ua.ASPAC_ACK))
    await caller.ready
    return caller, there, load.asking


def ended(asking: Asking, request: bytes, component: bytes, kind: int = sccp.UDT) -> bytes:
    """The end of the dialogue that a request began."""
    payload = m3ua.payload(request)
    unit = sccp.decode(request, payload.start, payload.stop)
    transaction = tcap.decode(request, unit.start, unit.stop).otid
    assert transaction is not None
    user = tcap.end(transaction, b"", tcap.component_portion(component))
    return m3ua.transfer(sccp.unitdata(kind, 0, asking.calling, asking.called, user), opc=2, dpc=1, sls=0)


def test_map_answers_are_told_by_what_they_say() -> None:
    async def body() -> None:
        caller, there, asking = await signalling()
        caller.ask([0.0] * 7)
        asked = [await take(there) for _ in range(7)]
        answers = [
            tcap.return_result(1, check_imei.CHECK_IMEI, check_imei.encode_result(3, 2)),
            tcap.return_error(1, check_imei.UNKNOWN_EQUIPMENT),
            tcap.return_error(1, check_imei.SYSTEM_FAILURE),
            tcap.reject(1, (tcap.INVOKE_PROBLEM, tcap.MISTYPED_PARAMETER)),
            tcap.return_result(1, check_imei.CHECK_IMEI, b"\x30\x03\x0a\x01\x07"),
            tcap.return_result(1, check_imei.CHECK_IMEI, b"\x30\x00"),
        ]
        for request, component in zip(asked, answers, strict=False):
            there.send(ended(asking, request, component))
        payload = m3ua.payload(asked[6])
        unit = sccp.decode(asked[6], payload.start, payload.stop)
        back = sccp.unitdata(sccp.UDTS, 1, asking.calling, asking.called, asked[6][unit.start : unit.stop])
        there.send(m3ua.transfer(back, opc=2, dpc=1, sls=0))
        while caller.due:
            await asyncio.sleep(0.001)
        there.send(ended(asking, asked[0], answers[0]))
        there.send(m3ua.transfer(b"\1\2\3", opc=2, dpc=1, sls=0))
        there.send(m3ua.error(m3ua.PROTOCOL_ERROR))
        while caller.answers.total() < 10:
            await asyncio.sleep(0.001)
        assert caller.answers == {
            "tracked": 1,
            "unknown": 1,
            "map error 34": 1,
            "rejected 2": 1,
            "unreadable": 2,
            "no result": 1,
            "sccp returned 1": 1,
            "unasked": 1,
            "m3ua error 7": 1,
        }
        there.close()
        await caller.gone

    run(body)


def test_a_heartbeat_is_acknowledged() -> None:
    async def body() -> None:
        caller, there, _ = await signalling()
        there.send(m3ua.message(m3ua.BEAT, m3ua.parameter(m3ua.HEARTBEAT_DATA, b"ours")))
        assert (await take(there))[2:4] == bytes(m3ua.BEAT_ACK)
        caller.leave()
        assert (await take(there))[2:4] == bytes(m3ua.ASPIA)
        caller.abort()
        await caller.gone
        assert not caller.closed
        there.close()

    run(body)


def test_every_request_has_a_transaction_of_its_own_and_links_take_turns() -> None:
    async def body() -> None:
        caller, there, _ = await signalling((1, 2, 3))
        caller.window = 64
        caller.ask([0.0] * 60)
        asked = [await take(there) for _ in range(60)]
        units = [sccp.decode(one, m3ua.payload(one).start, m3ua.payload(one).stop) for one in asked]
        begun = [tcap.decode(one, unit.start, unit.stop) for one, unit in zip(asked, units, strict=True)]
        assert len({one.otid for one in begun}) == 60
        assert {m3ua.payload(one).sls for one in asked} == {0, 1}
        contexts = [one.dialogue.context if isinstance(one.dialogue, tcap.Dialogue) else b"" for one in begun]
        assert set(contexts) == {b"", check_imei.context(2), check_imei.context(3)}
        caller.abort()
        there.close()

    run(body)
