"""Drawing codes; what holds a real source of randomness hands it down."""

import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Of codes that people read to each other: nothing that looks or sounds like another."""

_LONGEST_GIVEN = 40


@dataclass(frozen=True)
class Draw:
    """A source of codes.

    Args:
        digits: gives so many digits, for codes that are sent to a phone.
        letters: gives so many of `LETTERS`, for codes that people hand on.
        octets: gives so many octets.
    """

    digits: Callable[[int], str]
    letters: Callable[[int], str]
    octets: Callable[[int], bytes]


def random_draw() -> Draw:
    """Draws that nobody can foretell."""
    return Draw(
        digits=lambda count: "".join(secrets.choice("0123456789") for _ in range(count)),
        letters=lambda count: "".join(secrets.choice(LETTERS) for _ in range(count)),
        octets=secrets.token_bytes,
    )


def as_typed(given: str) -> str:
    """A code as somebody typed it, in the form in which it was drawn.

    Spaces and dashes may stand in it, letters may be small, digits may be of any script; what cannot be a
    code becomes one that is never right.
    """
    if len(given) > _LONGEST_GIVEN:
        return ""
    decimals = (str(unicodedata.decimal(character, character)) for character in given)
    return "".join(c for c in decimals if c.isascii() and c.isalnum()).upper()
