import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import Imei, Imeisv, InvalidIdentifierError, MalformedImei, luhn, normalise_imei

DIGITS = "0123456789"
FOURTEEN = st.text(DIGITS, min_size=14, max_size=14)
TWO = st.text(DIGITS, min_size=2, max_size=2)
FILE_TEXT = st.text("0123456789abcdefABCDEF*#", min_size=1, max_size=16)


@given(FOURTEEN, TWO)
def test_all_variants_of_one_imei_become_the_same_value(digits: str, version: str) -> None:
    imei = Imei(digits)
    for variant in (digits, imei.printed, digits + "0", digits + version):
        assert Imei.from_wire(variant) == imei
        assert normalise_imei(variant) == imei
    for variant in (digits, imei.printed, digits + version, imei.printed + version):
        assert Imei.from_printed(variant) == imei


@given(FILE_TEXT)
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise_imei(text)
    assert once is not None
    assert normalise_imei(str(once)) == once


@given(FILE_TEXT)
def test_letter_case_and_surrounding_white_space_do_not_count(text: str) -> None:
    assert normalise_imei(f" \t{text.lower()}\r\n") == normalise_imei(text.upper())


@given(st.integers(min_value=0, max_value=10**14 - 1))
def test_number_and_imei_are_two_forms_of_one_thing(number: int) -> None:
    assert Imei.from_number(number).number == number


@given(FOURTEEN, FOURTEEN)
def test_imeis_order_like_their_numbers(one: str, other: str) -> None:
    assert (Imei(one) < Imei(other)) == (Imei(one).number < Imei(other).number)


@given(st.text(DIGITS, min_size=1, max_size=20), st.data())
def test_luhn_notices_any_single_changed_digit(digits: str, data: st.DataObject) -> None:
    printed = digits + luhn.check_digit(digits)
    assert luhn.is_valid(printed)
    place = data.draw(st.integers(0, len(printed) - 1))
    other = data.draw(st.sampled_from([d for d in DIGITS if d != printed[place]]))
    assert not luhn.is_valid(printed[:place] + other + printed[place + 1 :])


def test_the_check_digit_of_a_known_imei_is_right() -> None:
    # 490154203237518 is the worked example that most texts on the IMEI use.
    assert luhn.check_digit("49015420323751") == "8"
    assert Imei("49015420323751").printed == "490154203237518"


@pytest.mark.parametrize("text", ["", "7", "4901542032375a8", "٤٩", "²3"])
def test_luhn_takes_nothing_but_digits_for_valid(text: str) -> None:
    assert not luhn.is_valid(text)


@pytest.mark.parametrize("text", ["", "12a", "²"])
def test_no_check_digit_is_computed_for_other_than_digits(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        luhn.check_digit(text)


def test_an_imei_shows_its_parts() -> None:
    imei = Imei("35693803564380")
    assert (imei.tac.digits, imei.serial, imei.check_digit) == ("35693803", "564380", "9")
    assert imei.reporting_body == imei.tac.reporting_body == "35"
    assert str(imei) == "35693803564380"


@pytest.mark.parametrize(
    "digits", ["", "3569380356438", "356938035643809", "3569380356438x", "٣٥٦٩٣٨٠٣٥٦٤٣٨٠", " 5693803564380"]
)
def test_an_imei_is_exactly_14_ascii_digits(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError) as problem:
        Imei(digits)
    assert problem.value.code == "invalid_identifier"
    assert problem.value.exit_code == 1


def test_an_error_does_not_repeat_the_identifier() -> None:
    for wrong in ("3569380356438012", "356938035643x"):
        with pytest.raises(InvalidIdentifierError) as problem:
            Imei(wrong)
        assert wrong not in str(problem.value)


@pytest.mark.parametrize(
    "text", ["3569380356438", "35693803564380999", "35693803564380 9", "35693803564380-"]
)
def test_the_wire_carries_14_to_16_digits_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Imei.from_wire(text)


@pytest.mark.parametrize(
    "text",
    [
        "356938035643809",
        "35-693803-564380-9",
        "35 693803 564380 9",
        "35693803/564380/9",
        "\u200e356938035643809\n",
        "35\u2013693803\u00a0564380\u20119",
        "٣٥٦٩٣٨٠٣٥٦٤٣٨٠٩",
        "356938035643809 / 01",
        "35693803564380",
        "3569380356438099",
    ],
)
def test_a_label_may_group_digits_as_it_likes(text: str) -> None:
    assert Imei.from_printed(text) == Imei("35693803564380")


@pytest.mark.parametrize("text", ["356938035643808", "356938035643800", "356938035643808 / 01"])
def test_a_label_with_a_wrong_check_digit_is_refused_with_the_right_one(text: str) -> None:
    with pytest.raises(InvalidIdentifierError, match="call for 9"):
        Imei.from_printed(text)


@pytest.mark.parametrize("text", ["", "3569380356438", "35693803564380901 2", "3569380356438O9", "IMEI"])
def test_a_label_without_an_imei_is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Imei.from_printed(text)


@pytest.mark.parametrize("number", [-1, 10**14])
def test_a_number_out_of_range_is_no_imei(number: int) -> None:
    with pytest.raises(InvalidIdentifierError):
        Imei.from_number(number)


@pytest.mark.parametrize("text", ["", " ", "\t\r\n\v\f"])
def test_an_empty_field_is_no_equipment(text: str) -> None:
    assert normalise_imei(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "0"),
        ("3569380356438", "3569380356438"),
        ("a1000009abcdef", "A1000009ABCDEF"),
        ("*#06#", "*#06#"),
        ("3569380356438*", "3569380356438*"),
    ],
)
def test_what_does_not_start_with_14_digits_is_kept_as_malformed(text: str, expected: str) -> None:
    assert normalise_imei(text) == MalformedImei(expected)


@pytest.mark.parametrize("text", ["35693803564380AB", "35693803564380*#", "35693803564380f"])
def test_what_follows_14_digits_is_dropped(text: str) -> None:
    assert normalise_imei(text) == Imei("35693803564380")


@pytest.mark.parametrize(
    "text", ["35693803564380123", "G", "3569-3803", "35 69", "\u00a035693803564380", "٣", "A" * 17, "-1"]
)
def test_other_characters_and_longer_texts_make_an_invalid_row(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        normalise_imei(text)


@pytest.mark.parametrize("text", ["", "a1", "35693803564380", "35693803564380A", "G", "1" * 17])
def test_a_malformed_imei_can_hold_only_what_normalising_gives(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        MalformedImei(text)


def test_the_first_characters_of_a_malformed_imei_stand_in_for_its_tac() -> None:
    assert MalformedImei("A1000009ABCDEF").tac_text == "A1000009"
    assert MalformedImei("A1000009ABCDEF").reporting_body == "A1"
    assert MalformedImei("7").tac_text == MalformedImei("7").reporting_body == "7"


@given(FOURTEEN, TWO)
def test_an_imeisv_survives_the_wire(digits: str, version: str) -> None:
    imeisv = Imeisv.from_wire(digits + version)
    assert (imeisv.imei, imeisv.software_version, imeisv.digits) == (Imei(digits), version, digits + version)
    assert imeisv.is_any_version == (version == "99")
    assert str(imeisv) == digits + version


@pytest.mark.parametrize("text", ["356938035643809", "35693803564380999", "35693803564380x1"])
def test_an_imeisv_is_exactly_16_digits(text: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Imeisv.from_wire(text)


def test_a_software_version_is_exactly_2_digits() -> None:
    with pytest.raises(InvalidIdentifierError):
        Imeisv(Imei("35693803564380"), "1")
