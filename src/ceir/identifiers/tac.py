from dataclasses import dataclass

from ceir.identifiers._digits import is_digits, require_digits

TEST_TAC_PREFIXES: tuple[str, ...] = (*(f"0010{n:02}" for n in range(1, 18)), "0044", "0086", "0091")
"""Beginnings of TACs set aside for test equipment. Source: GSMA TS.06, on test IMEIs."""


def is_test_tac(text: str) -> bool:
    """True when the first 8 characters are digits in a range for test equipment.

    Takes any text, because malformed equipment identities are judged by their first 8 characters too.
    """
    head = text[:8]
    return len(head) == 8 and is_digits(head) and head.startswith(TEST_TAC_PREFIXES)


@dataclass(frozen=True, slots=True, order=True)
class Tac:
    """Type Allocation Code: the model that an IMEI belongs to.

    Args:
        digits: exactly 8 digits.

    Raises:
        InvalidIdentifierError: otherwise.

    Source: 3GPP TS 23.003 clause 6.2.1.
    """

    digits: str

    def __post_init__(self) -> None:
        require_digits(self.digits, "A TAC", range(8, 9))

    def __str__(self) -> str:
        return self.digits

    @property
    def reporting_body(self) -> str:
        """Two-digit code of the body that allocated it; `reporting_body()` of that module names the body."""
        return self.digits[:2]

    @property
    def is_test(self) -> bool:
        """True when it is set aside for test equipment, which has no business in a public network."""
        return is_test_tac(self.digits)
