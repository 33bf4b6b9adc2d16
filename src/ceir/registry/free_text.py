"""Texts that people type, made fit to be kept: what they say is theirs, what could harm a reader is not."""

import unicodedata
from typing import ClassVar

from ceir.errors import CeirError

_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the order of the letters after them round: a text would read otherwise than it is."""


class TextRefusedError(CeirError):
    """A text cannot be kept as it is."""

    code: ClassVar[str] = "text_refused"


def free_text(text: str, name: str, most: int, *, needed: bool = False, lines: bool = False) -> str:
    """A text as it is kept: in one spelling of its letters, without white space around it.

    Markup and SQL are words like others: they are kept as typed, and whoever shows them escapes them.

    Args:
        name: what it is, for the message: `A reason`.
        most: characters.
        needed: an empty one is refused.
        lines: line ends may stand in it.

    Raises:
        TextRefusedError: too long, empty although needed, or with characters that nobody sees.
    """
    if len(text) > most:
        raise TextRefusedError(f"{name} has {len(text)} characters.", f"At most {most}.")
    if any(_hidden(character, lines) for character in text):
        raise TextRefusedError(f"{name} holds characters that cannot be seen.", "Type it instead of pasting.")
    kept = unicodedata.normalize("NFC", text).strip()
    if needed and not kept:
        raise TextRefusedError(f"{name} is missing.", "It is needed for whoever decides and for the record.")
    if len(kept) > most:
        raise TextRefusedError(f"{name} has {len(kept)} characters.", f"At most {most}.")
    return kept


def _hidden(character: str, lines: bool) -> bool:
    if lines and character in "\r\n":
        return False
    if character in _DIRECTION_MARKS:
        return True
    return unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co", "Zl", "Zp")
