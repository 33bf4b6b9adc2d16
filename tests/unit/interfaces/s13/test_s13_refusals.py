"""Requests that break a rule, and the result code that says which."""

from typing import Any

import pytest
from s13_talk import GOOD_ATTRIBUTES, TERMINAL, ask, failed, opened, request, service, value

from ceir.equipment_check import Answer
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.avp import Avp, encode, encode_unsigned
from ceir.interfaces.s13.codec import VENDOR_APPLICATION
from ceir.interfaces.s13.conversation import State
from vectors import BLOCKED_IMEI


def result_of(message: bytes) -> tuple[int | None, list[Avp]]:
    """The result code and Failed-AVP; the answer's common parts are checked on the way."""
    header, avps = ask(opened(), message)
    sent = codec.read_header(message, 0, 1 << 24)
    assert (header.command, header.application) == (sent.command, sent.application)
    assert (header.hop_by_hop, header.end_to_end) == (sent.hop_by_hop, sent.end_to_end)
    assert header.flags & 0xD0 == sent.flags & 0x40
    result = value(avps, d.RESULT_CODE)
    assert result is not None
    assert bool(header.flags & 0x20) == (3000 <= result < 4000)
    return result, failed(avps)


@pytest.mark.parametrize("name", GOOD_ATTRIBUTES)
def test_a_missing_attribute_is_named_by_an_example(name: str) -> None:
    result, (example,) = result_of(request(without=name))
    assert result == 5005
    assert example.code == int.from_bytes(GOOD_ATTRIBUTES[name][:4], "big")
    assert not any(example.data)


def test_a_missing_imei_is_named_within_its_group() -> None:
    empty = encode(d.TERMINAL_INFORMATION, encode(d.SOFTWARE_VERSION, b"01"))
    result, (group,) = result_of(request(terminal=empty))
    assert result == 5005
    assert (group.code, group.data) == (1401, encode(d.IMEI, b""))


UNKNOWN_MANDATORY = b"\0\0\x27\x0f\x40\0\0\x0cWHAT"


def test_an_unknown_mandatory_attribute_is_refused_and_returned() -> None:
    result, (given,) = result_of(request(UNKNOWN_MANDATORY))
    assert result == 5001
    assert given.raw == UNKNOWN_MANDATORY


def test_an_unknown_mandatory_attribute_within_the_group_is_returned_within_it() -> None:
    group = encode(d.TERMINAL_INFORMATION, encode(d.IMEI, f"{BLOCKED_IMEI:014}".encode()) + UNKNOWN_MANDATORY)
    result, (given,) = result_of(request(terminal=group))
    assert result == 5001
    assert (given.code, given.data) == (1401, UNKNOWN_MANDATORY)


@pytest.mark.parametrize(
    "harmless",
    [
        b"\0\0\x27\x0f\0\0\0\x0cWHAT",
        b"\0\0\x02\x74\x80\0\0\x38\0\0\x28\xaf" + bytes(44),  # Supported-Features
        b"\0\0\x01\x2d\0\0\0\x0c\0\0\0\1",  # DRMP
        encode_unsigned(d.ORIGIN_STATE_ID, 5),
        encode(d.USER_NAME, b"001010123456789", mandatory=False),
        VENDOR_APPLICATION,
    ],
)
def test_what_need_not_be_known_is_passed_over(harmless: bytes) -> None:
    _, avps = ask(opened(), request(harmless))
    assert value(avps, d.EQUIPMENT_STATUS) == 1


def test_a_vendor_attribute_without_its_vendor_flag_is_another_attribute() -> None:
    bare = b"\0\0\x05\x79\x40" + (8 + len(TERMINAL[12:])).to_bytes(3, "big") + TERMINAL[12:]
    result, (given,) = result_of(request(terminal=bare))
    assert (result, given.code, given.vendor) == (5001, 1401, 0)


@pytest.mark.parametrize("size", [0, 7, 0xFFFFFF, 400])
def test_an_attribute_whose_length_cannot_be_gets_its_header_back(size: int) -> None:
    wrong = b"\0\0\0\x01\x40" + size.to_bytes(3, "big") + b"12345678"
    result, (given,) = result_of(request(wrong))
    assert (result, given.code, given.data) == (5014, 1, b"")


def test_a_vendor_attribute_too_short_for_its_vendor_gets_its_header_back() -> None:
    result, (given,) = result_of(request(b"\0\0\x05\x79\xc0\0\0\x08"))
    assert (result, given.code, given.flags) == (5014, 1401, 0xC0)


def test_four_stray_octets_are_a_wrong_length() -> None:
    result, (given,) = result_of(request(b"\0\0\0\x01"))
    assert (result, given.code) == (5014, 1)


def test_a_number_that_is_not_four_octets_is_a_wrong_length() -> None:
    wrong = encode(d.AUTH_SESSION_STATE, b"\1")
    result, (given,) = result_of(request(state=wrong))
    assert (result, given.data) == (5014, b"\1")


@pytest.mark.parametrize("name", ["session", "host", "realm", "to", "terminal", "state"])
def test_what_may_come_once_may_not_come_twice(name: str) -> None:
    result, (given,) = result_of(request(GOOD_ATTRIBUTES[name]))
    assert result == 5009
    assert given.code == int.from_bytes(GOOD_ATTRIBUTES[name][:4], "big")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\0\0\0\x01\x41\0\0\x0c1234",  # a reserved flag
        b"\0\0\0\x01\xc0\0\0\x10\0\0\0\x001234",  # vendor 0
    ],
)
def test_impossible_flags_are_refused(wrong: bytes) -> None:
    result, (given,) = result_of(request(wrong))
    assert (result, given.raw) == (3009, wrong)


@pytest.mark.parametrize("flags", [0x80, 0xE0, 0xF0])
def test_a_check_without_the_proxiable_bit_or_with_the_error_bit_is_refused(flags: int) -> None:
    assert result_of(request(flags=flags))[0] == 3008


def test_a_watchdog_must_not_be_proxiable() -> None:
    message = codec.encode_message(280, 0xC0, 0, 1, 2, b"")
    assert result_of(message)[0] == 3008


@pytest.mark.parametrize("application", [16777251, 4, 0xFFFFFFFF])
def test_another_application_is_not_supported(application: int) -> None:
    message = codec.encode_message(324, 0xC0, application, 1, 2, request()[20:])
    assert result_of(message)[0] == 3007


@pytest.mark.parametrize(("command", "application"), [(318, 16777252), (324, 0), (280, 16777252), (0, 0)])
def test_another_command_is_not_supported(command: int, application: int) -> None:
    message = codec.encode_message(command, 0xC0, application, 1, 2, request()[20:])
    assert result_of(message)[0] == 3001


def test_a_protocol_error_repeats_session_and_proxies() -> None:
    proxy = encode(d.PROXY_INFO, encode(d.PROXY_HOST, b"a.example.org") + b"\0\0\0\x21\x40\0\0\x0cSTAT")
    _, avps = ask(opened(), codec.encode_message(324, 0xC0, 77, 1, 2, request(proxy)[20:]))
    assert [avp.code for avp in avps] == [263, 268, 264, 296, 284]


@pytest.mark.parametrize(
    ("instead", "result"),
    [
        ({"to": encode(d.DESTINATION_REALM, b"elsewhere.org")}, 3003),
        (
            {"to": encode(d.DESTINATION_HOST, b"hss.example.org") + GOOD_ATTRIBUTES["to"]},
            3002,
        ),
        ({"realm": GOOD_ATTRIBUTES["realm"] + encode(d.ROUTE_RECORD, b"EIR.example.org")}, 3005),
        ({"session": GOOD_ATTRIBUTES["session"] + encode_unsigned(d.VENDOR_ID, 1)}, 5001),
        (
            {
                "session": GOOD_ATTRIBUTES["session"]
                + encode(
                    d.VENDOR_SPECIFIC_APPLICATION_ID,
                    encode_unsigned(d.VENDOR_ID, 10415) + encode_unsigned(d.AUTH_APPLICATION_ID, 16777251),
                )
            },
            5004,
        ),
    ],
)
def test_a_request_for_others_is_refused(instead: dict[str, Any], result: int) -> None:
    assert result_of(request(**instead))[0] == result


def test_destinations_are_compared_without_regard_to_case_and_the_host_alone_decides() -> None:
    for to in (
        encode(d.DESTINATION_REALM, b"Example.ORG"),
        encode(d.DESTINATION_HOST, b"EIR.example.org") + encode(d.DESTINATION_REALM, b"elsewhere.org"),
    ):
        _, avps = ask(opened(), request(to=to))
        assert value(avps, d.EQUIPMENT_STATUS) == 1


def test_an_overloaded_server_says_so_and_goes_on_watching() -> None:
    busy = service()
    conversation = opened(busy)
    busy.overloaded = True
    header, avps = ask(conversation, request())
    assert (header.flags, value(avps, d.RESULT_CODE)) == (0x60, 3004)
    assert avps[0].data == b"mme.example.org;1;1"
    dwr = codec.encode_dwr(codec.Node("mme.example.org", "example.org"), 3, 4)
    assert value(ask(conversation, dwr)[1], d.RESULT_CODE) == 2001
    busy.overloaded = False
    assert value(ask(conversation, request())[1], d.EQUIPMENT_STATUS) == 1


def test_a_failing_checker_is_an_answer_and_not_the_end() -> None:
    class Broken:
        def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:  # noqa: ARG002
            raise ZeroDivisionError

    conversation = opened(service(checker=Broken()))
    for message in (request(), request(b"\0\0\x27\x0f\0\0\0\x08")):
        assert value(ask(conversation, message)[1], d.RESULT_CODE) == 5012
    assert conversation.state is State.OPEN
    assert conversation.service.counters.failures == 2
