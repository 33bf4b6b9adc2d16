from dataclasses import dataclass

from ceir.identifiers import luhn
from ceir.identifiers._digits import require_digits
from ceir.identifiers._invalid import InvalidIdentifierError
from ceir.identifiers.eid import TELECOM_INDUSTRY

ICCID_LENGTHS = range(19, 21)
"""E.118 has 19 digits; many issuers use the 20 that fit the card's file."""


@dataclass(frozen=True, slots=True, order=True)
class Iccid:
    """Serial number of a SIM card or of a profile on an embedded SIM.

    Args:
        digits: 19 or 20 digits that begin with 89, the last one a Luhn digit.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: ITU-T E.118.
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "An ICCID", ICCID_LENGTHS)
        if not self.digits.startswith(TELECOM_INDUSTRY):
            raise InvalidIdentifierError(f"An ICCID begins with {TELECOM_INDUSTRY}.")
        if not luhn.is_valid(self.digits):
            right = luhn.check_digit(self.digits[:-1])
            raise InvalidIdentifierError(
                f"The check digit is {self.digits[-1]}, but the digits before it call for {right}."
            )

    def __str__(self) -> str:
        return self.digits
