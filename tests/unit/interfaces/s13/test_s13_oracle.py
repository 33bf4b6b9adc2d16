"""An independent Diameter library reads what we write and writes what we read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s13_talk import MME, SERVER, failed, opened, request, split

from ceir.equipment_check import EquipmentStatus
from ceir.interfaces.s13 import codec
from ceir.interfaces.s13 import dictionary as d
from ceir.interfaces.s13.asking import Asked, decode_answer, encode_check
from ceir.interfaces.s13.avp import encode
from ceir.interfaces.s13.codec import Node
from ceir.interfaces.s13.identity_check import (
    WIRE_STATUS,
    Answers,
    Served,
    decode_check,
    read_identity,
    read_imsi,
)

message = pytest.importorskip("diameter.message", reason="needs python-diameter")

IDENTIFIERS = st.integers(0, 2**32 - 1)
NAMES = st.text(st.characters(codec="ascii", min_codepoint=45, max_codepoint=122), min_size=1, max_size=40)
IMEIS = st.text("0123456789", min_size=10, max_size=18)


@given(
    NAMES,
    IMEIS,
    st.text("0123456789", max_size=2),
    st.text("0123456789", max_size=16),
    IDENTIFIERS,
    IDENTIFIERS,
)
def test_our_requests_are_read_alike(
    session: str, imei: str, version: str, imsi: str, hop_by_hop: int, end_to_end: int
) -> None:
    ours = encode_check(MME, Asked(session, imei, version, imsi), hop_by_hop, end_to_end)
    read = message.Message.from_bytes(ours)
    assert read.header.is_request
    assert read.header.is_proxyable
    assert (read.header.hop_by_hop_identifier, read.header.end_to_end_identifier) == (hop_by_hop, end_to_end)
    assert read.session_id == session
    assert read.auth_session_state == 1
    assert read.destination_realm == MME.realm.encode()
    assert read.terminal_information.imei == imei
    assert read.terminal_information.software_version == (version or None)
    assert read.user_name == (imsi or None)
    assert read.vendor_specific_application_id.auth_application_id == 16777252
    assert read.as_bytes()[:4] == ours[:4]


@given(
    session=NAMES,
    imei=IMEIS,
    version=st.none() | st.text("0123456789", min_size=1, max_size=3),
    imsi=st.none() | st.text("0123456789", min_size=1, max_size=17),
    records=st.lists(NAMES.map(str.encode), max_size=2),
    proxies=st.lists(st.tuples(NAMES.map(str.encode), st.binary(max_size=9)), max_size=2),
)
def test_their_requests_are_read_alike(
    session: str,
    imei: str,
    version: str | None,
    imsi: str | None,
    records: list[bytes],
    proxies: list[tuple[bytes, bytes]],
) -> None:
    from diameter.message.avp.grouped import ProxyInfo, TerminalInformation
    from diameter.message.commands import MeIdentityCheckRequest

    theirs = MeIdentityCheckRequest()
    theirs.header.application_id = 16777252
    theirs.session_id = session
    theirs.auth_session_state = 1
    theirs.origin_host = b"mme.example.org"
    theirs.origin_realm = b"example.org"
    theirs.destination_realm = b"example.org"
    theirs.terminal_information = TerminalInformation(imei=imei, software_version=version)
    theirs.user_name = imsi
    theirs.route_record = records
    theirs.proxy_info = [ProxyInfo(proxy_host=host, proxy_state=state) for host, state in proxies]
    octets = theirs.as_bytes()
    read = decode_check(octets[20:], Served(SERVER))
    assert (read.imei, read.software_version) == read_identity(imei.encode(), (version or "").encode())
    assert read.imsi == read_imsi((imsi or "").encode())
    assert read.session[8:].decode() == session
    (answer,) = opened().receive(octets, 1000.0)
    back = message.Message.from_bytes(answer)
    assert back.session_id == session
    assert [(info.proxy_host, info.proxy_state) for info in back.proxy_info] == proxies


@given(st.sampled_from(list(EquipmentStatus)), NAMES, st.integers(0, 2**64 - 1))
def test_our_answers_are_read_alike(status: EquipmentStatus, session: str, identifiers: int) -> None:
    attribute = encode(d.SESSION_ID, session.encode())[: 8 + len(session)]
    read = message.Message.from_bytes(Answers(SERVER).encode(status, attribute, b"", 0x40, identifiers))
    assert not read.header.is_request
    assert read.header.is_proxyable
    assert read.header.hop_by_hop_identifier << 32 | read.header.end_to_end_identifier == identifiers
    assert (read.session_id, read.auth_session_state) == (session, 1)
    assert (read.origin_host, read.origin_realm) == (b"eir.example.org", b"example.org")
    assert read.equipment_status == WIRE_STATUS.get(status)
    if status is EquipmentStatus.UNKNOWN:
        assert read.experimental_result.experimental_result_code == 5422
        assert read.result_code is None
    else:
        assert read.result_code == 2001


@given(st.sampled_from([0, 1, 2, None]), NAMES)
def test_their_answers_are_read_alike(word: int | None, session: str) -> None:
    from diameter.message.avp.grouped import ExperimentalResult
    from diameter.message.commands import MeIdentityCheckAnswer

    theirs = MeIdentityCheckAnswer()
    theirs.session_id = session
    theirs.auth_session_state = 1
    theirs.origin_host = b"eir.example.org"
    theirs.origin_realm = b"example.org"
    if word is None:
        theirs.experimental_result = ExperimentalResult(vendor_id=10415, experimental_result_code=5422)
    else:
        theirs.result_code = 2001
        theirs.equipment_status = word
    read = decode_answer(theirs.as_bytes()[20:])
    assert read.session == session
    assert read.status is next((s for s, w in WIRE_STATUS.items() if w == word), EquipmentStatus.UNKNOWN)


@given(NAMES, NAMES, st.integers(0, 2**32 - 1))
def test_capabilities_are_read_alike_both_ways(host: str, realm: str, state: int) -> None:
    from diameter.message.avp.grouped import VendorSpecificApplicationId
    from diameter.message.commands import CapabilitiesExchangeRequest

    read = message.Message.from_bytes(codec.encode_cer(Node(host, realm, origin_state_id=state), 1, 2))
    assert (read.origin_host, read.origin_realm) == (host.encode(), realm.encode())
    assert read.host_ip_address == [(1, "127.0.0.1")]
    assert read.supported_vendor_id == [10415]
    assert read.vendor_specific_application_id[0].auth_application_id == 16777252
    assert read.origin_state_id == (state or None)

    theirs = CapabilitiesExchangeRequest()
    theirs.origin_host, theirs.origin_realm = host.encode(), realm.encode()
    theirs.host_ip_address = ["192.0.2.7", "2001:db8::7"]
    theirs.vendor_id = 99
    theirs.product_name = "Prüfling"
    theirs.origin_state_id = state
    theirs.vendor_specific_application_id = [
        VendorSpecificApplicationId(vendor_id=10415, auth_application_id=16777252)
    ]
    told = codec.decode_capabilities(theirs.as_bytes()[20:])
    assert (told.host, told.realm, told.vendor, told.product) == (host, realm, 99, "Prüfling")
    assert [str(address) for address in told.addresses] == ["192.0.2.7", "2001:db8::7"]
    assert told.shares_application


def test_refusals_are_read_alike() -> None:
    unknown = b"\0\0\x27\x0f\x40\0\0\x0cWHAT"
    (answer,) = opened().receive(request(unknown), 1000.0)
    read = message.Message.from_bytes(answer)
    assert read.result_code == 5001
    assert not read.header.is_error
    assert [avp.code for avp in failed(split(answer)[1])] == [9999]
    (answer,) = opened().receive(request(flags=0x80), 1000.0)
    read = message.Message.from_bytes(answer)
    assert (read.result_code, read.header.is_error) == (3008, True)
