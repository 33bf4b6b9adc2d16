import re
from dataclasses import dataclass
from typing import Self, TypeAlias

from ceir.identifiers import luhn
from ceir.identifiers._digits import compact, require_digits
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.tac import Tac

ASCII_WHITESPACE = " \t\n\r\v\f"

_FILE_TEXT = re.compile(r"[0-9A-Fa-f*#]{1,16}")
_STARTS_LIKE_AN_IMEI = re.compile(r"[0-9]{14}")


@dataclass(frozen=True, slots=True, order=True)
class Imei:
    """Identity of a piece of mobile equipment: TAC and serial number, without check or spare digit.

    Why 14 digits: the 15th is a Luhn digit on labels and a spare 0 in signalling, so only 14 identify.

    Args:
        digits: exactly 14 digits.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: 3GPP TS 23.003 clause 6.2.1.
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "An IMEI without its check digit", range(14, 15))

    def __str__(self) -> str:
        return self.digits

    @classmethod
    def from_wire(cls, text: str) -> Self:
        """The IMEI in what a network sends: 14 digits, 15 (last one spare) or 16 (last two software version).

        The 15th digit is ignored whatever it is: the specification has a spare 0, check digits occur.

        Raises:
            InvalidIdentifierError: when it is not 14 to 16 digits.
        """
        require_digits(text, "An IMEI on the wire", range(14, 17))
        return cls(text[:14])

    @classmethod
    def from_printed(cls, text: str) -> Self:
        """The IMEI in what a person reads from a label or from `*#06#`.

        Args:
            text: 15 digits with the Luhn digit, or 17 with a software version behind it; also 14 (no check
                digit) and 16 (IMEISV), where nothing can be checked. Spaces, dashes and slashes may stand
                anywhere.

        Raises:
            InvalidIdentifierError: another length, another character, or a wrong check digit.
        """
        digits = compact(text)
        require_digits(digits, "A printed IMEI", range(14, 18), "Dial *#06# to see the IMEI of a phone.")
        imei = cls(digits[:14])
        if len(digits) in (15, 17) and digits[14] != imei.check_digit:
            raise InvalidIdentifierError(
                f"The check digit is {digits[14]}, but the 14 digits before it call for {imei.check_digit}.",
                "Compare every digit with the label: at least one was misread.",
            )
        return imei

    @classmethod
    def from_number(cls, number: int) -> Self:
        """The IMEI that `number` stands for, 0 to 10^14 - 1.

        Raises:
            InvalidIdentifierError: out of that range, as keys of malformed identities (negative) are.
        """
        if not 0 <= number < 10**14:
            raise InvalidIdentifierError("An IMEI as a number lies between 0 and 99999999999999.")
        return cls(f"{number:014}")

    @property
    def number(self) -> int:
        """The 14 digits as an integer: what tables store, 0 to 10^14 - 1."""
        return int(self.digits)

    @property
    def tac(self) -> Tac:
        """The model's Type Allocation Code, digits 1 to 8."""
        return Tac(self.digits[:8])

    @property
    def serial(self) -> str:
        """The serial number within the TAC, digits 9 to 14."""
        return self.digits[8:]

    @property
    def reporting_body(self) -> str:
        """Two-digit code of the body that allocated the TAC."""
        return self.digits[:2]

    @property
    def check_digit(self) -> str:
        """The Luhn digit that labels print behind the 14 digits."""
        return luhn.check_digit(self.digits)

    @property
    def printed(self) -> str:
        """The 15 digits of a label."""
        return self.digits + self.check_digit


@dataclass(frozen=True, slots=True, order=True)
class MalformedImei:
    """An equipment identity that a network reported although it is no IMEI.

    Why it is kept: equipment that sends one is in use, and rules judge it.

    Args:
        text: 1 to 16 of `0-9 A-F * #`, not starting with 14 digits.

    Raises:
        InvalidIdentifierError: otherwise.
    """

    text: str

    def __post_init__(self) -> None:
        if not _FILE_TEXT.fullmatch(self.text) or self.text != self.text.upper():
            raise InvalidIdentifierError("A malformed IMEI is 1 to 16 of the characters 0-9, A-F, * and #.")
        if _STARTS_LIKE_AN_IMEI.match(self.text):
            raise InvalidIdentifierError("A text that starts with 14 digits is an IMEI, not a malformed one.")

    def __str__(self) -> str:
        return self.text

    @property
    def tac_text(self) -> str:
        """The first 8 characters (fewer in a shorter text): what stands in for a TAC."""
        return self.text[:8]

    @property
    def reporting_body(self) -> str:
        """The first 2 characters (fewer in a shorter text): what stands in for a reporting body's code."""
        return self.text[:2]


EquipmentIdentity: TypeAlias = Imei | MalformedImei
"""What an observation is about when it names equipment at all."""


def normalise_imei(text: str) -> EquipmentIdentity | None:
    """The equipment identity in a field of an incoming file.

    The same equipment arrives as 14 digits, with a check digit, with a spare 0 or with a software version;
    all of them must become one value.

    Args:
        text: the raw field; ASCII white space around it is dropped.

    Returns:
        None for an empty field, an `Imei` when 14 digits come first, else the upper-cased text as malformed.

    Raises:
        InvalidIdentifierError: the row is invalid: a character outside `0-9 A-F a-f * #`, or more than 16.
    """
    trimmed = text.strip(ASCII_WHITESPACE)
    if not trimmed:
        return None
    if not _FILE_TEXT.fullmatch(trimmed):
        raise InvalidIdentifierError(
            f"An IMEI field holds 1 to 16 of the characters 0-9, A-F, * and #; {_shape(trimmed)} came."
        )
    if _STARTS_LIKE_AN_IMEI.match(trimmed):
        return Imei(trimmed[:14])
    return MalformedImei(trimmed.upper())


def _shape(text: str) -> str:
    if len(text) > 16:
        return f"{len(text)} characters"
    return "a character outside these"
