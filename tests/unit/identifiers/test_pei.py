import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import HardwareAddress, Imei, Imeisv, InvalidIdentifierError, Pei

DIGITS = "0123456789"


def pairs(count: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=count, max_size=count).map(lambda octets: octets.hex("-").upper())


PEIS = st.one_of(
    st.builds(Pei, st.just("imei"), st.text(DIGITS, min_size=14, max_size=14)),
    st.builds(Pei, st.just("imeisv"), st.text(DIGITS, min_size=16, max_size=16)),
    st.builds(Pei, st.just("mac"), pairs(6), st.booleans()),
    st.builds(Pei, st.just("eui"), pairs(8)),
)


@given(PEIS)
def test_a_pei_survives_the_wire(pei: Pei) -> None:
    assert Pei.parse(pei.wire) == pei
    assert str(pei) == pei.wire


@pytest.mark.parametrize("text", ["imei-356938035643809", "imei-356938035643800", "imei-35693803564380"])
def test_the_15th_digit_of_an_imei_does_not_count(text: str) -> None:
    pei = Pei.parse(text)
    assert pei.imei == Imei("35693803564380")
    assert pei.imeisv is None
    assert pei.wire == "imei-356938035643800"


def test_an_imeisv_gives_its_imei_too() -> None:
    pei = Pei.parse("imeisv-3569380356438001")
    assert pei.imei == Imei("35693803564380")
    assert pei.imeisv == Imeisv(Imei("35693803564380"), "01")


def test_equipment_without_an_imei_has_an_address() -> None:
    pei = Pei.parse("mac-00-1a-2B-3c-4d-5e-untrusted")
    assert pei == Pei("mac", "00-1A-2B-3C-4D-5E", untrusted=True)
    assert pei.imei is None
    assert pei.imeisv is None
    assert pei.wire == "mac-00-1A-2B-3C-4D-5E-untrusted"
    assert Pei.parse("eui-001a2b3c4d5e6f70") == Pei.parse("eui-00-1A-2B-3C-4D-5E-6F-70")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "imei-",
        "imei-3569380356438",
        "imei-3569380356438012",
        "IMEI-356938035643809",
        "imeisv-356938035643809",
        "imei-35693803564380x",
        "imei-356938035643809\n",
        "mac-00-1a-2b-3c-4d",
        "mac-001a2b3c4d5e",
        "mac-00-1a-2b-3c-4d-5e-trusted",
        "eui-00-1a-2b-3c-4d-5e",
        "eui-00-1A-2B-3C-4D-5E-6F-70-untrusted",
        "imei-٣٥٦٩٣٨٠٣٥٦٤٣٨٠٩",
        "nai-user@example.org",
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Pei.parse(text)


def test_kind_and_value_must_fit() -> None:
    with pytest.raises(InvalidIdentifierError):
        Pei("imei", "356938035643809")
    with pytest.raises(InvalidIdentifierError):
        Pei("imeisv", "35693803564380")
    with pytest.raises(InvalidIdentifierError):
        Pei("mac", "00-1A-2B-3C-4D-5E-6F-70")
    with pytest.raises(InvalidIdentifierError):
        Pei("eui", "00-1A-2B-3C-4D-5E")
    with pytest.raises(InvalidIdentifierError):
        Pei("imei", "35693803564380", untrusted=True)


@pytest.mark.parametrize("text", ["00-1a-2b-3c-4d-5e", "00:1A:2B:3C:4D:5E", "001a.2b3c.4d5e", "001A2B3C4D5E"])
def test_an_address_is_written_in_several_ways(text: str) -> None:
    address = HardwareAddress.parse(text)
    assert address == HardwareAddress("00-1A-2B-3C-4D-5E")
    assert address.is_mac
    assert not address.is_group
    assert not address.is_locally_administered


@pytest.mark.parametrize(
    "text", ["", "00-1a:2b-3c-4d-5e", "00-1a-2b-3c-4d", "00-1a-2b-3c-4d-5g", "001a2b3c4d5e6f"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        HardwareAddress.parse(text)
    with pytest.raises(InvalidIdentifierError):
        HardwareAddress(text)


def test_an_address_tells_who_assigned_it_and_to_whom() -> None:
    assert HardwareAddress("02-00-00-00-00-01").is_locally_administered
    assert HardwareAddress("01-00-5E-00-00-01").is_group
    assert not HardwareAddress("00-1A-2B-3C-4D-5E-6F-70").is_mac
