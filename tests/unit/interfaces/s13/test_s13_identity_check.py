import pytest
from hypothesis import given
from hypothesis import strategies as st
from s13_talk import GOOD_ATTRIBUTES, MME, SERVER, ask, check, opened, request, value

from ceir.equipment_check import Answer, EquipmentStatus, Question
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.avp import RefusedError, encode, encode_unsigned, read_avps
from ceir.interfaces.s13.codec import VENDOR_APPLICATION
from ceir.interfaces.s13.identity_check import (
    Answers,
    Served,
    decode_check,
    read_identity,
    read_imsi,
    read_quickly,
)
from vectors import BLOCKED_IMEI, VECTORS

SERVED = Served(SERVER)


@pytest.mark.parametrize(("question", "answer"), VECTORS)
def test_every_verdict_vector_reaches_the_peer_as_its_wire_word(question: Question, answer: Answer) -> None:
    version = "" if question.software_version is None else f"{question.software_version:02}"
    imsi = "" if question.imsi is None else str(question.imsi)[1:]
    _, avps = ask(opened(), check(f"{question.imei:014}", version, imsi))
    words = {"permitted": 0, "blocked": 1, "tracked": 2, "unknown": None}
    assert value(avps, d.EQUIPMENT_STATUS) == words[answer.status.value]
    experimental = next((avp for avp in avps if avp.code == d.EXPERIMENTAL_RESULT.code), None)
    if answer.status is EquipmentStatus.UNKNOWN:
        assert experimental is not None
        assert value(avps, d.RESULT_CODE) is None
        inner = read_avps(experimental.data)
        assert (value(inner, d.VENDOR_ID), value(inner, d.EXPERIMENTAL_RESULT_CODE)) == (10415, 5422)
    else:
        assert experimental is None
        assert value(avps, d.RESULT_CODE) == 2001


def test_an_answer_has_the_form_of_its_command() -> None:
    header, avps = ask(opened(), request())
    assert (header.flags, header.command, header.application) == (0x40, 324, 16777252)
    assert (header.hop_by_hop, header.end_to_end) == (0x11223344, 0x55667788)
    assert [avp.code for avp in avps] == [263, 260, 268, 277, 264, 296, 1445]
    assert avps[0].data == b"mme.example.org;1;1"
    assert value(avps, d.AUTH_SESSION_STATE) == 1
    assert avps[4].data == b"eir.example.org"
    assert avps[6].flags == 0xC0


def test_a_retransmitted_request_is_answered_without_the_retransmission_bit() -> None:
    header, avps = ask(opened(), request(flags=0xD0))
    assert header.flags == 0x40
    assert value(avps, d.EQUIPMENT_STATUS) == 1


@pytest.mark.parametrize("length", range(1, 9))
def test_a_session_identifier_of_any_length_is_repeated_with_zero_padding(length: int) -> None:
    session = encode(d.SESSION_ID, b"s" * length)
    dirty = session.replace(b"\0", b"\0", 1)[: 8 + length] + b"\xff" * (-length % 4)
    conversation = opened()
    (answer,) = conversation.receive(request(session=dirty), 1000.0)
    assert answer[20 : 20 + len(session)] == session


def test_all_proxy_infos_are_repeated_in_their_order_behind_the_rest() -> None:
    first = encode(d.PROXY_INFO, encode(d.PROXY_HOST, b"a.example.org") + b"\0\0\0\x21\x40\0\0\x0cSTAT")
    second = encode(d.PROXY_INFO, encode(d.PROXY_HOST, b"b.example.org") + b"\0\0\0\x21\x40\0\0\x0cTATS")
    conversation = opened()
    (answer,) = conversation.receive(request(first + second), 1000.0)
    assert answer.endswith(first + second)


def test_route_records_are_taken_and_not_repeated() -> None:
    record = encode(d.ROUTE_RECORD, b"dra.example.org")
    _, avps = ask(opened(), request(record * 3))
    assert value(avps, d.RESULT_CODE) == 2001
    assert not [avp for avp in avps if avp.code == d.ROUTE_RECORD.code]


@pytest.mark.parametrize(
    ("imei", "version", "number", "software"),
    [
        (b"35345678901234", b"", 35345678901234, None),
        (b"35345678901234", b"01", 35345678901234, 1),
        (b"353456789012340", b"", 35345678901234, None),
        (b"353456789012349", b"", 35345678901234, None),
        (b"353456789012349", b"12", 35345678901234, 12),
        (b"3534567890123456", b"", 35345678901234, 56),
        (b"3534567890123456", b"78", 35345678901234, 78),
        (b"3534567890123456", b"7x", 35345678901234, 56),
        (b"01234567890123", b"99", 1234567890123, 99),
        (b"353456789012345F", b"", 35345678901234, None),
        (b"35345678901234ff", b"", 35345678901234, None),
        (b"3534567890123", b"01", None, None),
        (b"35345678901234567", b"01", None, None),
        (b"3534567890123A", b"", None, None),
        (b"\xd9\xa3" * 7, b"", None, None),
        (b"", b"", None, None),
    ],
)
def test_an_identity_is_keyed_on_its_first_14_digits(
    imei: bytes, version: bytes, number: int | None, software: int | None
) -> None:
    assert read_identity(imei, version) == (number, software)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (b"001010123456789", 1001010123456789),
        (b"00101012345678", 100101012345678),
        (b"123456", 1123456),
        (b"12345", None),
        (b"0010101234567890", None),
        (b"001010123456789@realm", None),
        (b"", None),
    ],
)
def test_a_user_name_is_an_imsi_or_nothing(name: bytes, number: int | None) -> None:
    assert read_imsi(name) == number


def test_a_malformed_identity_is_a_question_without_one_and_no_error() -> None:
    _, avps = ask(opened(), check("12345"))
    assert value(avps, d.EXPERIMENTAL_RESULT_CODE) is None
    assert value(avps, d.RESULT_CODE) is None  # the checker's word for malformed here: unknown


# --- the quick reader means what the strict one says ---

_FLAGS = st.sampled_from([0x40, 0xC0, 0x00, 0x80, 0x60, 0xE0, 0x20, 0x41])
_KINDS = [
    d.SESSION_ID,
    d.AUTH_SESSION_STATE,
    d.ORIGIN_HOST,
    d.ORIGIN_REALM,
    d.DESTINATION_HOST,
    d.DESTINATION_REALM,
    d.USER_NAME,
    d.VENDOR_SPECIFIC_APPLICATION_ID,
    d.PROXY_INFO,
    d.ROUTE_RECORD,
    d.ORIGIN_STATE_ID,
    d.TERMINAL_INFORMATION,
    d.RESULT_CODE,
]
_DIGITS = st.text("0123456789", min_size=12, max_size=18).map(str.encode)
_DATA = st.one_of(
    st.binary(max_size=12),
    _DIGITS,
    st.sampled_from(
        [
            b"",
            b"example.org",
            b"EXAMPLE.org",
            b"eir.example.org",
            b"elsewhere.org",
            b"\0\0\0\1",
            b"\0\0\0\2",
            VENDOR_APPLICATION[8:],
            VENDOR_APPLICATION[20:] + VENDOR_APPLICATION[8:20],
            VENDOR_APPLICATION[8:20],
        ]
    ),
)


@st.composite
def _attribute(draw: st.DrawFn) -> bytes:
    """An attribute near the grammar's edge: any flags, any vendor, any data, now and then a wrong length."""
    kind = draw(st.sampled_from(_KINDS))
    flags = draw(_FLAGS)
    data = draw(_DATA)
    vendor = draw(st.sampled_from([0, 10415, 9])).to_bytes(4, "big") if flags & 0x80 else b""
    size = 8 + len(vendor) + len(data) + draw(st.sampled_from([0] * 12 + [1, -1, 5]))
    size = max(size, 0)
    return (
        kind.code.to_bytes(4, "big")
        + bytes([flags])
        + size.to_bytes(3, "big")
        + vendor
        + data
        + b"\0" * (-len(vendor + data) % 4)
    )


@st.composite
def _terminal(draw: st.DrawFn) -> bytes:
    inner = b""
    for kind in draw(st.lists(st.sampled_from([d.IMEI, d.IMEI, d.SOFTWARE_VERSION, d.MEID]), max_size=3)):
        inner += encode(kind, draw(_DATA), mandatory=draw(st.booleans()))
    return encode(d.TERMINAL_INFORMATION, inner)


@st.composite
def _body(draw: st.DrawFn) -> bytes:
    good = list(GOOD_ATTRIBUTES.values())
    extra = draw(st.lists(st.one_of(_attribute(), _terminal()), max_size=4))
    parts = draw(st.permutations(good + extra))
    dropped = draw(st.integers(0, len(parts) * 3))
    return b"".join(part for number, part in enumerate(parts) if number != dropped)


@given(_body(), st.binary(max_size=30).map(lambda b: b[: len(b) // 4 * 4]))
def test_the_quick_reader_agrees_with_the_strict_one_or_leaves_it_to_it(body: bytes, behind: bytes) -> None:
    quick = read_quickly(b"before" + body + behind, 6, 6 + len(body), SERVED)
    if quick is None:
        return
    assert decode_check(body, SERVED) == quick


@given(
    imei=_DIGITS,
    version=st.text("0123456789", min_size=0, max_size=3),
    imsi=st.text("0123456789", max_size=17),
    session=st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=60),
    host=st.booleans(),
)
def test_the_quick_reader_takes_what_peers_send_all_day(
    imei: bytes, version: str, imsi: str, session: str, host: bool
) -> None:
    asked = Asked(session, imei.decode(), version, imsi, destination_host=SERVER.host if host else "")
    message = encode_check(MME, asked, 1, 2)
    quick = read_quickly(message, 20, len(message), SERVED)
    assert (quick is not None) == (14 <= len(imei) <= 16)
    strict = decode_check(message[20:], SERVED)
    assert quick in (None, strict)
    assert strict.session == encode(d.SESSION_ID, session.encode())[: 8 + len(session)]
    assert strict.question == Question(*read_identity(imei, version.encode()), read_imsi(imsi.encode()))


@given(
    st.sampled_from(list(EquipmentStatus)),
    st.text(st.characters(codec="ascii", min_codepoint=33), min_size=1, max_size=60),
    st.integers(0, 2**64 - 1),
)
def test_the_asking_side_reads_what_the_answering_side_wrote(
    status: EquipmentStatus, session: str, identifiers: int
) -> None:
    attribute = encode(d.SESSION_ID, session.encode())[: 8 + len(session)]
    message = Answers(SERVER).encode(status, attribute, b"", 0x40, identifiers)
    assert int.from_bytes(message[1:4], "big") == len(message)
    assert int.from_bytes(message[12:20], "big") == identifiers
    answer = decode_answer(message[20:])
    assert (answer.status, answer.session) == (status, session)


@pytest.mark.parametrize("wrong", [encode_unsigned(d.AUTH_SESSION_STATE, 2)])
def test_an_unknown_session_state_is_an_invalid_value(wrong: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        decode_check(request(state=wrong)[20:], SERVED)
    assert caught.value.result == d.Result.INVALID_AVP_VALUE
    assert caught.value.failed == wrong


def test_the_blocked_vector_is_what_the_helper_asks_for() -> None:
    assert decode_check(request()[20:], SERVED).imei == BLOCKED_IMEI
