from dataclasses import dataclass

from ceir.identifiers._digits import require_digits
from ceir.identifiers._invalid import InvalidIdentifierError

TELECOM_INDUSTRY = "89"
"""First digits that ISO/IEC 7812 gives to telecommunications: of every ICCID, and of EIDs before SGP.29."""


@dataclass(frozen=True, slots=True, order=True)
class Eid:
    """Identity of an embedded SIM chip (eUICC): a second, independent witness of which device one holds.

    Args:
        digits: 32 digits, the last two check digits.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: GSMA SGP.02 clause 2.2.2 and SGP.29 (which lifts the older rule that it begins with 89).
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "An EID", range(32, 33))
        right = eid_check_digits(self.digits[:30])
        if self.digits[30:] != right:
            raise InvalidIdentifierError(
                f"The check digits are {self.digits[30:]}, but the 30 digits before them call for {right}."
            )

    def __str__(self) -> str:
        return self.digits


def eid_check_digits(digits: str) -> str:
    """The two digits that complete 30 digits of an EID: the whole number then leaves 1 when divided by 97.

    Raises:
        InvalidIdentifierError: when it is not 30 digits.

    Source: ISO/IEC 7064, MOD 97-10.
    """
    require_digits(digits, "An EID without its check digits", range(30, 31))
    return f"{98 - int(digits) * 100 % 97:02}"
