import unicodedata

from ceir.identifiers._invalid import InvalidIdentifierError

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_SLASHES = "/\u2044"
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc"})
"""Direction marks, zero-width joiners, byte-order marks, tabs and line ends: they come along when pasting."""


def is_digits(text: str) -> bool:
    """True for one or more ASCII digits; `str.isdigit` alone also takes superscripts and other scripts."""
    return text.isascii() and text.isdigit()


def compact(text: str) -> str:
    """What a person typed or pasted, without separators and with the digits of any script as ASCII digits.

    Why: labels group digits with spaces, dashes and slashes, and many keyboards type other digits.
    """
    return "".join(_kept(character) for character in text)


def _kept(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    if character.isspace() or character in _DASHES or character in _SLASHES:
        return ""
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES:
        return ""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def require_digits(text: str, name: str, lengths: range, hint: str = "") -> None:
    """Refuses a text that is not ASCII digits of one of the `lengths`.

    Raises:
        InvalidIdentifierError: with the name, the lengths allowed and what came.
    """
    if len(text) in lengths and is_digits(text):
        return
    allowed = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    came = f"{len(text)} digits" if is_digits(text) else f"{len(text)} characters, not all of them digits"
    raise InvalidIdentifierError(f"{name} has {allowed} digits; {came} came.", hint)
