from ipaddress import ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from s13_talk import (
    MME,
    SERVER,
    ask,
    check,
    connected,
    failed,
    opened,
    request,
    service,
    split,
    state_of,
    value,
)

from ceir.equipment_check import Answer, Question
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import encode, encode_unsigned
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.conversation import Conversation, Limits, Origin, Peer, State
from vectors import VECTORS

HERE = Origin(ip_address("192.0.2.1"))
NAMED = Origin(ip_address("192.0.2.1"), encrypted=True, names=frozenset({"mme.example.org"}))
MISNAMED = Origin(ip_address("192.0.2.1"), encrypted=True, names=frozenset({"other.example.org"}))


def greeted(conversation: Conversation, cer: bytes) -> int | None:
    header, avps = ask(conversation, cer)
    assert (header.command, header.application) == (257, 0)
    return value(avps, d.RESULT_CODE)


def cer_with(body: bytes) -> bytes:
    return codec.encode_message(257, 0x80, 0, 1, 2, body)


MME_BODY = codec.encode_cer(MME, 1, 1)[20:]
WITHOUT_APPLICATION = MME_BODY[: -len(codec.VENDOR_APPLICATION)]


def test_a_known_peer_is_told_our_capabilities() -> None:
    conversation = connected()
    header, avps = ask(conversation, codec.encode_cer(MME, 0x0A, 0x0B))
    assert (header.flags, header.hop_by_hop, header.end_to_end) == (0, 0x0A, 0x0B)
    told = codec.decode_capabilities(b"".join(avp.raw + bytes(-len(avp.raw) % 4) for avp in avps))
    assert (told.host, told.realm, told.result) == (SERVER.host, SERVER.realm, 2001)
    assert told.shares_application
    assert (told.product, told.origin_state_id) == ("OpenCEIR", 7)
    assert told.addresses == (ip_address("127.0.0.1"),)
    assert state_of(conversation) is State.OPEN


@pytest.mark.parametrize(
    ("peer", "origin", "result"),
    [
        (Peer("MME.Example.org"), HERE, 2001),
        (Peer("sgsn.example.org"), HERE, 3010),
        (Peer(MME.host, realm="EXAMPLE.org"), HERE, 2001),
        (Peer(MME.host, realm="example.net"), HERE, 3010),
        (Peer(MME.host, networks=(ip_network("192.0.2.0/24"),)), HERE, 2001),
        (Peer(MME.host, networks=(ip_network("198.51.100.0/24"),)), HERE, 3010),
        (Peer(MME.host, secured=True), HERE, 3010),
        (Peer(MME.host, secured=True), NAMED, 2001),
        (Peer(MME.host), NAMED, 2001),
        (Peer(MME.host), MISNAMED, 3010),
    ],
)
def test_only_configured_peers_are_let_in(peer: Peer, origin: Origin, result: int) -> None:
    conversation = connected(service(peer), origin)
    assert greeted(conversation, codec.encode_cer(MME, 1, 1)) == result
    assert state_of(conversation) is (State.OPEN if result == 2001 else State.ENDING)
    assert conversation.receive(request(), 1000.0) == [] or result == 2001


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (WITHOUT_APPLICATION, 5010),
        (WITHOUT_APPLICATION + encode_unsigned(d.AUTH_APPLICATION_ID, 16777251), 5010),
        (WITHOUT_APPLICATION + encode_unsigned(d.AUTH_APPLICATION_ID, 16777252), 2001),
        (WITHOUT_APPLICATION + encode_unsigned(d.AUTH_APPLICATION_ID, 0xFFFFFFFF), 2001),
        (MME_BODY + encode_unsigned(d.INBAND_SECURITY_ID, 0), 2001),
        (MME_BODY + encode_unsigned(d.INBAND_SECURITY_ID, 1), 5017),
        (MME_BODY + b"\0\0\x27\x0f\x40\0\0\x08", 5001),
        (MME_BODY + b"\0\0\x27\x0f\0\0\0\x08", 2001),
        (MME_BODY[len(encode(d.ORIGIN_HOST, MME.host.encode())) :], 5005),
        (MME_BODY + encode(d.HOST_IP_ADDRESS, b"\0\x02" + bytes(16)), 2001),
        (MME_BODY + encode(d.HOST_IP_ADDRESS, b"\0\x08" + b"49123456"), 2001),
        (MME_BODY + encode(d.HOST_IP_ADDRESS, b"\0\x01" + bytes(5)), 5014),
        (MME_BODY + encode(d.HOST_IP_ADDRESS, b"\0\x01"), 5014),
        (MME_BODY.replace(b"mme.", b"mm\xff."), 5004),
        (MME_BODY + encode(d.VENDOR_SPECIFIC_APPLICATION_ID, b""), 5005),
    ],
)
def test_a_capabilities_exchange_is_judged(body: bytes, result: int) -> None:
    conversation = connected()
    assert greeted(conversation, cer_with(body)) == result
    assert state_of(conversation) is (State.OPEN if result == 2001 else State.ENDING)


@pytest.mark.parametrize(
    "early",
    [
        request(),
        codec.encode_dwr(MME, 1, 1),
        codec.encode_message(257, 0, 0, 1, 1, MME_BODY),
        b"GET / HTTP/1.1\r\n" * 4,
    ],
)
def test_anything_before_the_capabilities_exchange_ends_the_connection_without_an_answer(
    early: bytes,
) -> None:
    conversation = connected()
    assert conversation.receive(early, 1000.0) == []
    assert state_of(conversation) is State.ENDING
    assert conversation.service.counters.rejected == 1


def test_a_second_exchange_is_answered_but_must_be_of_the_same_peer() -> None:
    both = service(Peer(MME.host), Peer("sgsn.example.org"))
    conversation = opened(both)
    assert greeted(conversation, codec.encode_cer(MME, 9, 9)) == 2001
    assert both.counters.connected == {MME.host: 1}
    assert greeted(conversation, codec.encode_cer(Node("sgsn.example.org", "example.org"), 9, 9)) == 3010
    assert state_of(conversation) is State.ENDING


def test_a_peer_may_connect_several_times_but_not_endlessly() -> None:
    shared = service(limits=Limits(connections_per_peer=2))
    first, _second = opened(shared), opened(shared)
    assert greeted(connected(shared), codec.encode_cer(MME, 1, 1)) == 3004
    first.closed()
    assert greeted(connected(shared), codec.encode_cer(MME, 1, 1)) == 2001
    assert shared.counters.connected == {MME.host: 2}


def test_a_watchdog_request_is_answered_with_our_state() -> None:
    header, avps = ask(opened(), codec.encode_dwr(MME, 3, 4))
    assert (header.flags, header.command) == (0, 280)
    assert value(avps, d.RESULT_CODE) == 2001
    assert value(avps, d.ORIGIN_STATE_ID) == 7


def test_a_silent_peer_is_asked_and_then_dropped() -> None:
    conversation = opened(service(limits=Limits(watchdog=30)))
    assert conversation.tick(1027.9) == []
    (message,) = conversation.tick(1032.1)
    header, _ = split(message)
    assert (header.command, header.flags) == (280, 0x80)
    assert conversation.tick(1060.0) == []
    assert state_of(conversation) is State.OPEN
    conversation.tick(1100.0)
    assert state_of(conversation) is State.ENDING


def test_a_peer_that_answers_the_watchdog_is_kept_and_asked_again() -> None:
    conversation = opened(service(limits=Limits(watchdog=30)))
    for now in (1033.0, 1070.0, 1110.0):
        (message,) = conversation.tick(now)
        header, _ = split(message)
        conversation.receive(codec.encode_dwa(MME, header), now + 1)
    assert state_of(conversation) is State.OPEN
    assert conversation.service.counters.ignored == 0


def test_anything_heard_counts_as_alive() -> None:
    conversation = opened(service(limits=Limits(watchdog=30)))
    assert len(conversation.tick(1033.0)) == 1
    conversation.receive(request(), 1080.0)
    assert conversation.tick(1100.0) == []
    assert state_of(conversation) is State.OPEN


def test_answers_nobody_asked_for_are_counted_and_ignored() -> None:
    conversation = opened()
    assert conversation.receive(codec.encode_message(324, 0x40, 16777252, 1, 1, b""), 1000.0) == []
    assert state_of(conversation) is State.OPEN
    assert conversation.service.counters.ignored == 1


def test_a_peer_that_takes_leave_gets_an_answer_and_nothing_more() -> None:
    conversation = opened()
    dpr = codec.encode_dpr(MME, d.DisconnectCause.BUSY, 8, 9)
    out = conversation.receive(request() + dpr + request(), 1000.0)
    assert [split(message)[0].command for message in out] == [324, 282]
    assert value(split(out[1])[1], d.RESULT_CODE) == 2001
    assert state_of(conversation) is State.ENDING


def test_leaving_asks_the_peer_and_answers_until_it_agrees() -> None:
    conversation = opened()
    (message,) = conversation.leave(1000.0)
    header, avps = split(message)
    assert (header.command, header.flags) == (282, 0x80)
    assert value(avps, d.DISCONNECT_CAUSE) == 0
    assert len(conversation.receive(request(), 1001.0)) == 1
    conversation.receive(codec.encode_dpa(MME, header), 1002.0)
    assert state_of(conversation) is State.ENDING


def test_leaving_waits_no_longer_than_told() -> None:
    conversation = opened(service(limits=Limits(farewell=5)))
    conversation.leave(1000.0)
    conversation.tick(1004.9)
    assert state_of(conversation) is State.LEAVING
    conversation.tick(1005.0)
    assert state_of(conversation) is State.ENDING


def test_a_half_open_connection_and_a_half_message_are_ended_in_time() -> None:
    limits = Limits(handshake=10, partial=10)
    silent = connected(service(limits=limits))
    silent.tick(1009.0)
    assert state_of(silent) is State.EXPECTING
    silent.tick(1010.0)
    assert state_of(silent) is State.ENDING

    slow = opened(service(limits=limits))
    message = request()
    for second in range(9):
        slow.receive(message[second * 4 : second * 4 + 4], 1001.0 + second)
        slow.tick(1001.0 + second)
        assert state_of(slow) is State.OPEN
    slow.receive(message[36:40], 1010.9)
    slow.tick(1011.0)
    assert state_of(slow) is State.ENDING


@pytest.mark.parametrize(
    ("broken", "result"),
    [
        (b"\x02" + request()[1:], 5011),
        (b"\x01\0\0\x10" + request()[4:], 5015),
        (b"\x01\0\0\x15" + request()[4:], 5015),
        (b"\x01\x01\0\0" + request()[4:], 5015),
    ],
)
def test_octets_that_cannot_be_cut_into_messages_end_the_connection_with_a_reason(
    broken: bytes, result: int
) -> None:
    conversation = opened()
    good, bad = conversation.receive(request() + broken + request(), 1000.0)
    assert value(split(good)[1], d.EQUIPMENT_STATUS) == 1
    header, avps = split(bad)
    assert (value(avps, d.RESULT_CODE), header.hop_by_hop) == (result, 0x11223344)
    assert state_of(conversation) is State.ENDING


def test_many_requests_in_one_read_are_answered_in_order_however_they_are_cut() -> None:
    messages = []
    for number, (question, _) in enumerate(VECTORS * 3):
        message = bytearray(check(f"{question.imei:014}", "", ""))
        message[12:20] = number.to_bytes(4, "big") * 2
        messages.append(bytes(message))
    whole = b"".join(messages)
    expected = opened().receive(whole, 1000.0)
    assert [split(answer)[0].hop_by_hop for answer in expected] == list(range(len(messages)))
    for step in (1, 19, 20, 21, 333):
        conversation = opened()
        out = []
        for at in range(0, len(whole), step):
            out += conversation.receive(whole[at : at + step], 1000.0)
        assert out == expected


def test_every_answer_is_observed_and_a_failing_observer_changes_nothing() -> None:
    seen = []

    def watch(answer: Answer, seconds: float, question: Question) -> None:
        seen.append((answer, seconds, question))
        if len(seen) == 2:
            raise ValueError

    conversation = opened(service(observe=watch))
    for question, _ in VECTORS:
        version = "" if question.software_version is None else f"{question.software_version:02}"
        imsi = "" if question.imsi is None else str(question.imsi)[1:]
        conversation.receive(check(f"{question.imei:014}", version, imsi), 1000.0)
    assert [(question, answer) for answer, _, question in seen] == VECTORS
    assert all(seconds == 0 for _, seconds, _ in seen)
    assert conversation.service.counters.answered == len(VECTORS)
    assert conversation.service.counters.failures == 1


@given(st.lists(st.binary(max_size=400), max_size=5))
@example([request()[:-4] + b"\xff\xff\xff\xff"])
def test_no_octets_raise_or_stay_for_good(blocks: list[bytes]) -> None:
    for conversation in (connected(), opened()):
        for block in blocks:
            for message in conversation.receive(block, 1000.0):
                split(message)
        conversation.tick(2000.0)


_GOOD = [
    request(),
    request(encode(d.PROXY_INFO, b"12345678")),
    check("353456789012345", "01", "001010123456789"),
    codec.encode_cer(MME, 1, 1),
    codec.encode_dwr(MME, 1, 1),
    codec.encode_dpr(MME, d.DisconnectCause.BUSY, 1, 1),
]


@given(
    st.sampled_from(_GOOD),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_no_damaged_message_raises_and_every_answer_to_one_can_be_read(
    message: bytes, damage: list[tuple[int, int]]
) -> None:
    broken = bytearray(message)
    for at, octet in damage:
        broken[at % len(broken)] = octet
    for conversation in (connected(), opened()):
        for answer in conversation.receive(bytes(broken) + message, 1000.0):
            failed(split(answer)[1])
