import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.gsup import codec
from ceir.interfaces.gsup.codec import GsupError, IpaError
from ceir.interfaces.gsup.server import GsupServer, Options
from vectors import VECTORS, SetChecker

IMSI = "001010123456789"


def payload(framed: bytes) -> bytes:
    found, rest = codec.frames(framed, 2048)
    assert rest == len(framed)
    [(protocol, inside)] = found
    assert (protocol, inside[0]) == (0xEE, 0x05)
    return inside[1:]


def answered(server: GsupServer, framed: bytes) -> bytes | None:
    return server.answered(payload(framed), 0.0, lambda: 1.0)


@given(st.text("0123456789", min_size=14, max_size=16), st.text("0123456789", min_size=6, max_size=15))
def test_what_is_asked_is_what_is_read(imei: str, imsi: str) -> None:
    asked = codec.request(payload(codec.ask(imei, imsi)))
    assert asked.imei == int(imei[:14])
    assert asked.software_version == (int(imei[14:]) if len(imei) == 16 else None)
    assert asked.imsi == int("1" + imsi)


def test_an_imei_without_the_length_octet_is_read_too() -> None:
    for imei in ("35209900176148", "352099001761481", "3520990017614807"):
        parts = ((codec.IMSI_IE, codec.packed(IMSI)), (codec.IMEI_IE, codec.packed(imei)))
        assert codec.request(payload(codec.message(0x30, parts))).imei == 35209900176148


def test_the_request_is_byte_for_byte_what_osmocom_sends() -> None:
    """Taken from a request that OsmoHLR 1.5 decoded: length octet, 14 digits, IMSI closed with a filler."""
    framed = codec.ask("35209900176148", "901700000014701")
    assert framed.hex() == "0019ee" + "0530" + "010809710000004107f1" + "0a0101" + "50080753029900711684"


@pytest.mark.parametrize(("question", "answer"), VECTORS)
@pytest.mark.parametrize("accept_unknown", [True, False])
def test_the_shared_vectors_become_yes_or_no(question: object, answer: object, accept_unknown: bool) -> None:
    server = GsupServer(SetChecker(), Options(accept_unknown=accept_unknown))
    imei = f"{question.imei:014d}"  # type: ignore[attr-defined]
    if question.software_version is not None:  # type: ignore[attr-defined]
        imei += f"{question.software_version:02d}"  # type: ignore[attr-defined]
    imsi = str(question.imsi)[1:] if question.imsi else "262010000000001"  # type: ignore[attr-defined]
    reply = answered(server, codec.ask(imei, imsi))
    assert reply is not None
    found = dict(codec.elements(payload(reply)))
    status = answer.status  # type: ignore[attr-defined]
    no = status is EquipmentStatus.BLOCKED or (status is EquipmentStatus.UNKNOWN and not accept_unknown)
    assert payload(reply)[0] == codec.CHECK_IMEI_RESULT
    assert found[codec.IMEI_RESULT_IE] == bytes((no,))
    assert found[codec.IMSI_IE] == codec.packed(imsi)
    assert found[codec.MESSAGE_CLASS_IE] == b"\1"


def test_source_and_destination_are_exchanged_and_a_session_is_ended() -> None:
    parts = [
        (codec.IMSI_IE, codec.packed(IMSI)),
        (codec.IMEI_IE, codec.packed("352099001761481")),
        (codec.SESSION_ID_IE, b"\0\0\0\7"),
        (codec.SESSION_STATE_IE, b"\1"),
        (codec.SOURCE_NAME_IE, b"msc\0"),
        (codec.DESTINATION_NAME_IE, b"eir\0"),
    ]
    reply = answered(GsupServer(SetChecker()), codec.message(0x30, parts))
    assert reply is not None
    found = dict(codec.elements(payload(reply)))
    assert found[codec.SOURCE_NAME_IE] == b"eir\0"
    assert found[codec.DESTINATION_NAME_IE] == b"msc\0"
    assert (found[codec.SESSION_ID_IE], found[codec.SESSION_STATE_IE]) == (b"\0\0\0\7", b"\3")


@pytest.mark.parametrize(
    ("kind", "parts", "cause"),
    [
        (0x30, ((1, b"\x00\x01\x01"),), 0x60),
        (0x30, ((1, b"\x00\x01\x01"), (0x50, b"")), 0x60),
        (0x30, ((1, b"\x00\x01\x01"), (0x50, b"\x53\x02\x99")), 0x60),
        (0x04, ((1, b"\x00\x01\x01"),), 0x61),
    ],
)
def test_what_cannot_be_answered_gets_an_error_with_its_cause(
    kind: int, parts: tuple[tuple[int, bytes], ...], cause: int
) -> None:
    reply = answered(GsupServer(SetChecker()), codec.message(kind, parts))
    assert reply is not None
    assert payload(reply)[0] == kind | 1
    assert dict(codec.elements(payload(reply))) == {1: b"\x00\x01\x01", 2: bytes((cause,))}


@pytest.mark.parametrize("kind", [0x31, 0x32, 0x0B, 0x47])
def test_what_is_no_request_is_never_answered(kind: int) -> None:
    assert answered(GsupServer(SetChecker()), codec.message(kind, ((1, b"\x00\x01"),))) is None


def test_a_request_without_imsi_has_nobody_to_answer() -> None:
    assert answered(GsupServer(SetChecker()), codec.message(0x30, ((0x50, b"\x53" * 8),))) is None


def test_a_frame_that_is_too_long_ends_the_stream() -> None:
    with pytest.raises(IpaError):
        codec.frames(b"\xff\xff\xee", 2048)


@given(st.binary(max_size=64), st.integers(0, 64))
def test_frames_do_not_depend_on_how_they_arrive(octets: bytes, cut: int) -> None:
    stream = codec.frame(0xEE, octets) + codec.frame(0xFE, b"\0")
    whole, _ = codec.frames(stream, 2048)
    first, rest = codec.frames(stream[:cut], 2048)
    later, _ = codec.frames(stream[rest:], 2048)
    assert first + later == whole


@given(st.binary(max_size=80))
def test_any_octets_are_a_request_or_an_error(octets: bytes) -> None:
    try:
        codec.request(octets)
    except GsupError as error:
        reply = codec.refusal(octets, error)
        assert reply is None or payload(reply)[0] & 1


SERVER = GsupServer(SetChecker())


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 255)), max_size=4))
def test_damaged_requests_are_survived(hits: list[tuple[int, int]]) -> None:
    damaged = bytearray(payload(codec.ask("3520990017614807", IMSI)))
    for at, value in hits:
        damaged[at % len(damaged)] = value
    SERVER.answered(bytes(damaged), 0.0, lambda: 1.0)
