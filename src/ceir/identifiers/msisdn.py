from dataclasses import dataclass
from typing import Self

from ceir.identifiers._digits import compact, require_digits
from ceir.identifiers._invalid import InvalidIdentifierError

COUNTED_LENGTHS = range(7, 16)
"""Digits of an MSISDN that counts as a number somebody holds; shorter ones are service codes."""

_PUNCTUATION = str.maketrans("", "", "().")


@dataclass(frozen=True, slots=True, order=True)
class Msisdn:
    """A mobile number in international form, without the plus.

    Args:
        digits: 1 to 15 digits, country code first.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: ITU-T E.164; 3GPP TS 23.003 clause 3.3.
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "An MSISDN", range(1, 16))

    def __str__(self) -> str:
        return self.digits

    @classmethod
    def from_people(cls, text: str, region: str | None) -> Self:
        """The number that a person typed.

        Args:
            text: as typed, with spaces, dashes and brackets as the person likes.
            region: country whose habits apply to a number without country code, two letters of ISO 3166-1;
                None: no country's, then the number must start with `+` or `00`, have 7 to 15 digits, and no
                numbering plan is consulted.

        Raises:
            InvalidIdentifierError: when it is no number, or too long or short for its country.
        """
        return cls(_international(text) if region is None else _in_region(text, region))

    @classmethod
    def from_number(cls, number: int) -> Self:
        """The MSISDN that `number` stands for, see `number`.

        Raises:
            InvalidIdentifierError: when it is not a 1 followed by 1 to 15 digits.
        """
        text = str(number)
        if not text.startswith("1"):
            raise InvalidIdentifierError("An MSISDN as a number starts with the marker 1.")
        return cls(text[1:])

    @property
    def number(self) -> int:
        """The digits with a 1 before them, as an integer: what tables store, so that leading zeros live."""
        return int("1" + self.digits)

    @property
    def international(self) -> str:
        """With the plus, as people write it."""
        return "+" + self.digits

    @property
    def is_countable(self) -> bool:
        """True when it is long enough to be somebody's number: 7 to 15 digits."""
        return len(self.digits) in COUNTED_LENGTHS


def _international(text: str) -> str:
    digits = compact(text).translate(_PUNCTUATION)
    for prefix in ("+", "00"):
        if digits.startswith(prefix):
            digits = digits.removeprefix(prefix)
            require_digits(digits, "A number in international form", COUNTED_LENGTHS)
            return digits
    raise InvalidIdentifierError(
        "The number does not say of which country it is.",
        "Type it with + and the country code.",
    )


def _in_region(text: str, region: str) -> str:
    import phonenumbers  # noqa: PLC0415 - only people-facing code pays for loading it

    try:
        number = phonenumbers.parse(text, region.upper())
    except phonenumbers.NumberParseException as problem:
        raise InvalidIdentifierError(
            "The text is not a phone number.", "Type it with + and the country code."
        ) from problem
    # Possible, not valid: the tables of assigned blocks age faster than operators get new blocks.
    if not phonenumbers.is_possible_number(number):
        raise InvalidIdentifierError(
            "The number is too long or too short for its country.", "Type it with + and the country code."
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
