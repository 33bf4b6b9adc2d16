import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import Imsi, InvalidIdentifierError, Msisdn, Plmn, check_prefix_free

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("text", "mcc", "mnc"),
    [
        ("111-01", "111", "01"),
        ("11101", "111", "01"),
        ("310-410", "310", "410"),
        ("310410", "310", "410"),
        (" 001-01 ", "001", "01"),
    ],
)
def test_a_network_is_written_with_or_without_a_dash(text: str, mcc: str, mnc: str) -> None:
    assert Plmn.parse(text) == Plmn(mcc, mnc)


@pytest.mark.parametrize(
    "text", ["", "111", "1110", "111-0", "111-0001", "1110001", "11-101", "111 01", "abc-01", "١١١-٠١"]
)
def test_any_other_writing_of_a_network_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Plmn.parse(text)


@given(st.text(DIGITS, min_size=3, max_size=3), st.text(DIGITS, min_size=2, max_size=3))
def test_a_network_survives_being_written(mcc: str, mnc: str) -> None:
    plmn = Plmn(mcc, mnc)
    assert Plmn.parse(str(plmn)) == plmn
    assert Plmn.parse(plmn.prefix) == plmn


def test_networks_of_one_country_live_together() -> None:
    check_prefix_free(Plmn("111", f"0{n}") for n in range(1, 5))
    check_prefix_free([])
    check_prefix_free([Plmn("310", "410"), Plmn("310", "411"), Plmn("311", "41")])


@pytest.mark.parametrize(
    "networks",
    [
        ["310-41", "310-410"],
        ["310-410", "310-20", "310-41"],
        ["310-410", "310-411", "310-41", "310-42"],
        ["111-01", "111-02", "111-01"],
    ],
)
def test_networks_that_begin_alike_are_refused(networks: list[str]) -> None:
    with pytest.raises(InvalidIdentifierError, match="cannot be told apart"):
        check_prefix_free(Plmn.parse(text) for text in networks)


@given(st.sets(st.builds(Plmn, st.sampled_from(["310", "311"]), st.text("01", min_size=2, max_size=3))))
def test_neighbours_in_order_reveal_every_clash(plmns: set[Plmn]) -> None:
    clash = any(a != b and b.prefix.startswith(a.prefix) for a in plmns for b in plmns)
    try:
        check_prefix_free(plmns)
    except InvalidIdentifierError:
        assert clash
    else:
        assert not clash


@pytest.mark.parametrize("digits", ["", "1110112345678", "1110112345678901", "11101123456789x"])
def test_an_imsi_has_14_or_15_digits(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Imsi(digits)


def test_an_imsi_belongs_to_the_network_with_the_longest_fitting_prefix() -> None:
    imsi = Imsi("310410123456789")
    assert imsi.mcc == "310"
    assert imsi.plmn_in([Plmn("310", "41"), Plmn("310", "410"), Plmn("311", "41")]) == Plmn("310", "410")
    assert imsi.plmn_in([Plmn("310", "42")]) is None
    assert imsi.plmn_in([]) is None


@given(st.text(DIGITS, min_size=14, max_size=15))
def test_an_imsi_as_a_number_keeps_its_leading_zeros(digits: str) -> None:
    assert Imsi.from_number(Imsi(digits).number) == Imsi(digits)


@given(st.text(DIGITS, min_size=1, max_size=15))
def test_an_msisdn_as_a_number_keeps_its_leading_zeros(digits: str) -> None:
    assert Msisdn.from_number(Msisdn(digits).number) == Msisdn(digits)
    assert Msisdn(digits).is_countable == (len(digits) >= 7)
    assert Msisdn(digits).international == "+" + digits


@pytest.mark.parametrize("number", [0, 1, -111, 29999999999999])
def test_a_number_without_the_marker_is_no_subscriber(number: int) -> None:
    with pytest.raises(InvalidIdentifierError):
        Msisdn.from_number(number)
    with pytest.raises(InvalidIdentifierError):
        Imsi.from_number(number)


@pytest.mark.parametrize("digits", ["", "+221234567890", "1" * 16, "12 34"])
def test_an_msisdn_has_1_to_15_digits_and_no_plus(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Msisdn(digits)


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("020 7946 0958", "GB", "442079460958"),
        ("+44 (0)20 7946 0958", "gb", "442079460958"),
        ("+44 20 7946 0958", "FR", "442079460958"),
        ("+22 0123 456 789", None, "220123456789"),
        ("0022-0123.456.789", None, "220123456789"),
    ],
)
def test_people_write_numbers_as_their_country_does(text: str, region: str | None, digits: str) -> None:
    assert Msisdn.from_people(text, region) == Msisdn(digits)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("", "GB"),
        ("hello", "GB"),
        ("123", "GB"),
        ("020 7946 0958 123456", "GB"),
        ("020 7946 0958", "XX"),
        ("020 7946 0958", None),
        ("+22", None),
        ("", None),
        ("+1234567890123456", None),
    ],
)
def test_a_number_that_cannot_be_is_refused(text: str, region: str | None) -> None:
    with pytest.raises(InvalidIdentifierError):
        Msisdn.from_people(text, region)


def test_the_package_loads_without_the_numbering_tables() -> None:
    program = "import sys, ceir.identifiers; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
