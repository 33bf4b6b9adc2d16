from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import (
    PLACEHOLDER_NUMBERS,
    REPORTING_BODIES,
    Imei,
    InvalidIdentifierError,
    Tac,
    is_placeholder,
    is_test_tac,
    placeholder_pattern,
    reporting_body,
)

NEIGHBOURS = [
    near for number in PLACEHOLDER_NUMBERS for near in (number - 1, number, number + 1) if 0 <= near < 10**14
]


def test_there_are_thirty_placeholders_in_ascending_order() -> None:
    assert len(PLACEHOLDER_NUMBERS) == 30
    assert list(PLACEHOLDER_NUMBERS) == sorted(set(PLACEHOLDER_NUMBERS))
    assert all(is_placeholder(Imei.from_number(number)) for number in PLACEHOLDER_NUMBERS)


@pytest.mark.parametrize(
    ("digits", "pattern"),
    [
        ("00000000000000", "repeated"),
        ("99999999999999", "repeated"),
        ("01234567890123", "ascending"),
        ("12345678901234", "ascending"),
        ("98765432109876", "descending"),
        ("10987654321098", "descending"),
        ("00000000000001", None),
        ("12345678901235", None),
        ("35693803564380", None),
        ("01010101010101", None),
    ],
)
def test_a_placeholder_repeats_counts_up_or_counts_down(digits: str, pattern: str | None) -> None:
    assert placeholder_pattern(Imei(digits)) == pattern
    assert is_placeholder(Imei(digits)) == (pattern is not None)


@given(st.one_of(st.sampled_from(NEIGHBOURS), st.integers(0, 10**14 - 1)))
def test_the_numbers_are_exactly_the_imeis_with_one_step_between_all_digits(number: int) -> None:
    digits = [int(digit) for digit in Imei.from_number(number).digits]
    steps = {(b - a) % 10 for a, b in pairwise(digits)}
    assert (number in PLACEHOLDER_NUMBERS) == (steps in ({0}, {1}, {9}))


@pytest.mark.parametrize(
    "text", ["00100100", "00101799", "00440000", "00860123", "00910000", "0044000012345678", "00440000ABC"]
)
def test_a_test_tac_is_known_by_its_beginning(text: str) -> None:
    assert is_test_tac(text)


@pytest.mark.parametrize(
    "text",
    [
        "00100000",
        "00101800",
        "00450000",
        "35693803",
        "0044",
        "0044000",
        "0044000A",
        "A0440000",
        "",
        "٠٠٤٤٠٠٠٠",
    ],
)
def test_any_other_beginning_is_no_test_tac(text: str) -> None:
    assert not is_test_tac(text)


def test_a_tac_shows_its_parts() -> None:
    assert Tac("35693803").reporting_body == "35"
    assert not Tac("35693803").is_test
    assert Tac("00440001").is_test
    assert str(Tac("00440001")) == "00440001"


@pytest.mark.parametrize("digits", ["", "3569380", "356938035", "3569380A", "٣٥٦٩٣٨٠٣"])
def test_a_tac_is_exactly_8_ascii_digits(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Tac(digits)


def test_every_reporting_body_is_found_by_its_two_digit_code() -> None:
    assert len({body.code for body in REPORTING_BODIES}) == len(REPORTING_BODIES)
    for body in REPORTING_BODIES:
        assert len(body.code) == 2
        assert body.code.isdigit()
        assert reporting_body(body.code) is body


@pytest.mark.parametrize(
    ("code", "shown"), [("35", "TÜV SÜD (BABT), United Kingdom"), ("86", "TAF, China"), ("91", "MSAI, India")]
)
def test_a_reporting_body_reads_as_name_and_country(code: str, shown: str) -> None:
    assert str(reporting_body(code)) == shown


@pytest.mark.parametrize("code", ["98", "11", "", "A1", "355"])
def test_a_code_that_no_public_source_names_has_no_body(code: str) -> None:
    assert reporting_body(code) is None
