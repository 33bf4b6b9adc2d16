from ceir.identifiers._digits import is_digits
from ceir.identifiers._invalid import InvalidIdentifierError

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, its own digits summed."""


def check_digit(digits: str) -> str:
    """The Luhn digit that completes `digits`.

    Why: it finds every single wrong digit and most swaps of two neighbours when somebody copies by hand.

    Args:
        digits: one or more ASCII digits without the check digit; 14 for an IMEI, 18 or 19 for an ICCID.

    Raises:
        InvalidIdentifierError: when `digits` is not digits.

    Source: 3GPP TS 23.003 annex B; ISO/IEC 7812-1.
    """
    if not is_digits(digits):
        raise InvalidIdentifierError("A check digit is computed from digits only.")
    from_right = [int(digit) for digit in reversed(digits)]
    total = sum(_DOUBLED[digit] for digit in from_right[::2]) + sum(from_right[1::2])
    return str(-total % 10)


def is_valid(printed: str) -> bool:
    """True when `printed` is two or more digits and the last is the Luhn digit of the others."""
    return len(printed) > 1 and is_digits(printed) and check_digit(printed[:-1]) == printed[-1]
