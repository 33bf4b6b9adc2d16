from types import MappingProxyType
from typing import Literal, TypeAlias

from ceir.identifiers.imei import Imei

PlaceholderPattern: TypeAlias = Literal["repeated", "ascending", "descending"]

_STEPS: tuple[tuple[PlaceholderPattern, int], ...] = (("repeated", 0), ("ascending", 1), ("descending", -1))

_PATTERN_BY_DIGITS = MappingProxyType(
    {
        "".join(str((start + step * place) % 10) for place in range(14)): pattern
        for pattern, step in _STEPS
        for start in range(10)
    }
)

PLACEHOLDER_NUMBERS: tuple[int, ...] = tuple(sorted(int(digits) for digits in _PATTERN_BY_DIGITS))
"""Every placeholder as `Imei.number`, ascending: 30 of them."""


def placeholder_pattern(imei: Imei) -> PlaceholderPattern | None:
    """How the digits give away that nobody allocated the IMEI; None when they do not.

    Equipment that lost its IMEI or got a made-up one shows 14 equal digits, or digits that count up or down
    (9 is followed by 0, and 0 by 9). Unrelated devices share each of these: it tells none of them apart.
    """
    return _PATTERN_BY_DIGITS.get(imei.digits)


def is_placeholder(imei: Imei) -> bool:
    """True when the digits follow one of the patterns of `placeholder_pattern`."""
    return imei.digits in _PATTERN_BY_DIGITS
