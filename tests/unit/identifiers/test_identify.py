import pytest
from hypothesis import given
from hypothesis import strategies as st

from ceir.identifiers import (
    Eid,
    Iccid,
    Identification,
    Imei,
    InvalidIdentifierError,
    Plmn,
    eid_check_digits,
    identify,
    luhn,
)

DIGITS = "0123456789"
EID = "89049032123451234512345678901235"
ICCID_19 = "8922" + "0" * 14
ICCID = ICCID_19 + luhn.check_digit(ICCID_19)
LABELLED = st.tuples(
    st.sampled_from(["", "imei-", "IMEI 2: ", "imeisv-", "mac-", "eui-", "IMSI", "tac ", "+", "EID:", "89"]),
    st.text("0123456789ABCDEFabcdef*#-:/+ .()", max_size=40),
).map("".join)


def kinds(text: str, plmns: tuple[Plmn, ...] = ()) -> list[str]:
    return [reading.kind for reading in identify(text, plmns)]


def only(text: str) -> Identification:
    (reading,) = identify(text)
    return reading


@given(st.one_of(st.text(), LABELLED, st.text(DIGITS, max_size=40)))
def test_no_text_makes_it_raise(text: str) -> None:
    readings = identify(text)
    assert len({reading.kind for reading in readings}) == len(readings)


@given(LABELLED)
def test_the_value_of_a_reading_reads_as_the_same_again(text: str) -> None:
    for reading in identify(text):
        label = f"{reading.kind}: " if reading.kind != "malformed_imei" else "imei: "
        again = {(other.kind, other.value) for other in identify(label + reading.value)}
        assert (reading.kind, reading.value) in again


@given(st.integers(0, 10**14 - 1).map(Imei.from_number), st.sampled_from([" ", "-", "/", ""]))
def test_a_printed_imei_is_always_among_the_readings(imei: Imei, mark: str) -> None:
    text = mark.join((imei.digits[:2], imei.digits[2:8], imei.serial, imei.check_digit))
    (found,) = (reading for reading in identify(text) if reading.kind == "imei")
    assert found.value == imei.digits
    assert dict(found.facts)["as printed"] == imei.printed
    assert not any("15th" in warning or "check digit" in warning for warning in found.warnings)


def test_an_imei_is_told_in_full() -> None:
    reading = identify("35-693803-564380-9")[0]
    assert (reading.kind, reading.value, reading.warnings) == ("imei", "35693803564380", ())
    assert dict(reading.facts) == {
        "as printed": "356938035643809",
        "TAC": "35693803",
        "serial number": "564380",
        "check digit": "9",
        "reporting body": "35 TÜV SÜD (BABT), United Kingdom",
        "test range": "no",
        "placeholder": "no",
    }


@pytest.mark.parametrize("text", ["", "   ", "hello", "0" * 201, "-", "+", "IMEI:", "1234", "cafe", "😀"])
def test_what_fits_nothing_has_no_reading(text: str) -> None:
    assert identify(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "IMEI: 356938035643809",
        "imei 356938035643809",
        "IMEI 1: 356938035643809",
        "IMEI (slot 2) 356938035643809",
    ],
)
def test_a_label_settles_what_is_meant(text: str) -> None:
    assert only(text).value == "35693803564380"
    assert kinds(text.lower().replace("imei", "imsi")) == ["imsi"]


def test_a_wrong_check_digit_is_told_with_the_right_one() -> None:
    reading = only("IMEI 356938035643801")
    assert reading.value == "35693803564380"
    (warning,) = reading.warnings
    assert "check digit 1 is wrong" in warning
    assert "356938035643809" in warning


def test_a_spare_zero_is_told_apart_from_a_wrong_check_digit() -> None:
    (warning,) = only("IMEI 356938035643800").warnings
    assert "as networks send it" in warning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("356938035643809", ["imei", "imsi"]),  # known body, right check digit
        ("356938035643801", ["imei", "imsi"]),  # known body, wrong check digit, yet MCC 356 exists
        ("310410123456789", ["imsi", "imei"]),  # no body has 31
        ("111010000000001", ["imsi", "imei"]),  # neither is known: without the check digit it is no IMEI
        ("001010123456789", ["imsi", "imei"]),  # the test network that laboratories use
        ("867530912345678", ["imei", "imsi"]),
        ("35693803564380", ["imei", "imsi"]),
    ],
)
def test_fifteen_digits_are_an_imei_or_an_imsi_the_likelier_first(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_an_imsi_of_a_home_network_comes_before_anything_else() -> None:
    home = (Plmn("356", "93"), Plmn("111", "01"))
    reading = identify("356938035643809", home)[0]
    assert reading.kind == "imsi"
    assert dict(reading.facts) == {"mobile country code": "356", "network": "356-93"}


def test_a_country_code_of_a_home_network_is_not_doubted() -> None:
    home = (Plmn("111", "01"),)
    assert identify("111990000000001", home)[0].warnings == ()
    assert any("No country" in warning for warning in identify("111990000000001")[0].warnings)


@pytest.mark.parametrize("text", ["3569380356438001", "356938035643809 / 01", "imeisv-3569380356438001"])
def test_a_software_version_makes_an_imeisv(text: str) -> None:
    reading = only(text)
    assert (reading.kind, reading.value) == ("imeisv", "3569380356438001")
    assert dict(reading.facts)["software version"] == "01"


def test_an_imeisv_for_any_version_says_so() -> None:
    assert dict(only("3569380356438099").facts)["software version"] == "99 (any)"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("imei-356938035643809", "imei", "35693803564380"),
        ("IMEI-356938035643800", "imei", "35693803564380"),
        ("mac-00-1a-2b-3c-4d-5e", "mac", "00-1A-2B-3C-4D-5E"),
        ("mac-00-1a-2b-3c-4d-5e-untrusted", "mac", "00-1A-2B-3C-4D-5E"),
        ("eui-00-1a-2b-3c-4d-5e-6f-70", "eui", "00-1A-2B-3C-4D-5E-6F-70"),
        ("eui-001a2b3c4d5e6f70", "eui", "00-1A-2B-3C-4D-5E-6F-70"),
    ],
)
def test_every_form_of_a_pei_is_understood(text: str, kind: str, value: str) -> None:
    reading = only(text)
    assert (reading.kind, reading.value) == (kind, value)
    assert "PEI" in dict(reading.facts)
    assert any("confirm" in warning for warning in reading.warnings) == text.endswith("untrusted")


@pytest.mark.parametrize(
    "text", ["00:1a:2b:3c:4d:5e", "001a.2b3c.4d5e", "00-11-22-33-44-55", "mac 001122334455"]
)
def test_a_mac_address_is_understood(text: str) -> None:
    assert kinds(text)[0] == "mac"


def test_a_made_up_mac_address_is_warned_of() -> None:
    assert any("locally administered" in warning for warning in only("02:00:5e:00:53:0a").warnings)
    assert any("group" in warning for warning in only("01:00:5e:00:53:0a").warnings)


def test_eight_digits_are_a_tac_before_a_phone_number() -> None:
    assert kinds("35693803") == ["tac", "msisdn"]
    assert kinds("TAC 35693803") == ["tac"]


def test_a_test_tac_and_a_placeholder_are_warned_of() -> None:
    assert any("test equipment" in warning for warning in identify("00440000")[0].warnings)
    reading = only("IMEI 000000000000000")
    assert dict(reading.facts)["placeholder"] == "repeated"
    assert any("pattern" in warning for warning in reading.warnings)


def test_an_unknown_and_a_former_reporting_body_are_warned_of() -> None:
    assert any("No known reporting body" in warning for warning in identify("11000000")[0].warnings)
    assert any("no longer allocates" in warning for warning in identify("44900000")[0].warnings)


@pytest.mark.parametrize(
    "text", ["+22 0123 456 789", "+22 (0123) 456.789", "tel: +220123456789", "＋220123456789"]
)
def test_a_plus_makes_a_phone_number(text: str) -> None:
    reading = only(text)
    assert (reading.kind, reading.value, reading.warnings) == ("msisdn", "220123456789", ())


def test_a_phone_number_without_plus_is_doubted_and_a_short_one_is_warned_of() -> None:
    assert any("no +" in warning for warning in identify("220123456789")[0].warnings)
    assert any("too short" in warning for warning in only("+1234").warnings)


def test_an_eid_is_known_by_its_check_digits() -> None:
    assert only(EID).kind == only(f"EID: {EID}").kind == "eid"
    assert only(EID).warnings == ()
    (warning,) = only(EID[:-1] + "6").warnings
    assert "should be 35" in warning
    other = "10" + "0" * 28
    assert kinds(other + eid_check_digits(other)) == ["eid"]
    assert identify(other + "00") == ()


@pytest.mark.parametrize("text", [ICCID, ICCID + "F", f"ICCID {ICCID[:4]} {ICCID[4:]}"])
def test_an_iccid_is_known_by_its_check_digit(text: str) -> None:
    reading = only(text)
    assert (reading.kind, reading.value, reading.warnings) == ("iccid", ICCID, ())


def test_an_iccid_with_a_wrong_check_digit_is_told_with_the_right_one() -> None:
    wrong = ICCID[:-1] + str((int(ICCID[-1]) + 1) % 10)
    (warning,) = only(wrong).warnings
    assert f"should be {ICCID[-1]}" in warning


@pytest.mark.parametrize(
    ("text", "value"),
    [("3569380356438", "3569380356438"), ("A1000009ABCDEF", "A1000009ABCDEF"), ("imei: 7", "7")],
)
def test_what_networks_report_as_an_imei_but_is_none_is_told_as_malformed(text: str, value: str) -> None:
    reading = identify(text)[-1]
    assert (reading.kind, reading.value) == ("malformed_imei", value)


def test_characters_behind_14_digits_are_told_to_be_dropped() -> None:
    reading = only("35693803564380AB")
    assert (reading.kind, reading.value) == ("imei", "35693803564380")
    assert any("dropped" in warning for warning in reading.warnings)


def test_digits_of_other_scripts_are_understood() -> None:
    assert only("IMEI ٣٥٦٩٣٨٠٣٥٦٤٣٨٠٩").value == "35693803564380"


@pytest.mark.parametrize("digits", ["", EID[:-1], EID[:-1] + "6", EID + "1"])
def test_an_eid_has_32_digits_with_right_check_digits(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Eid(digits)


@given(st.text(DIGITS, min_size=30, max_size=30))
def test_the_check_digits_of_an_eid_leave_one_modulo_97(digits: str) -> None:
    eid = Eid(digits + eid_check_digits(digits))
    assert int(eid.digits) % 97 == 1
    assert str(eid) == eid.digits


@pytest.mark.parametrize("digits", ["", ICCID[:-1], "99" + ICCID[2:], ICCID[:-1] + "x", ICCID + "12"])
def test_an_iccid_has_19_or_20_digits_that_begin_with_89(digits: str) -> None:
    with pytest.raises(InvalidIdentifierError):
        Iccid(digits)


def test_an_iccid_ends_with_its_luhn_digit() -> None:
    assert str(Iccid(ICCID)) == ICCID
    with pytest.raises(InvalidIdentifierError, match="call for"):
        Iccid(ICCID[:-1] + str((int(ICCID[-1]) + 1) % 10))
