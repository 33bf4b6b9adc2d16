"""What a notice says, in each language that there is a file for."""

import re
import string
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import ClassVar

from django.utils import translation
from django.utils.formats import date_format

from ceir.errors import CeirError
from ceir.identifiers import Imei

# Whatever a phone might make a link of: a scheme, www, or letters, one of the dots of domain names, letters.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|\bwww\.|[^\W_][.。．｡][^\W\d_]{2,}|@", re.IGNORECASE)
_NEEDED = frozenset({"name", "imei", "date", "short_code", "code"})
_LONGEST_VALUE = 120
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class WordingError(CeirError):
    """A text of notices cannot be used."""

    code: ClassVar[str] = "wording"


@dataclass(frozen=True)
class Wording:
    """The texts of a language.

    Args:
        date: how days are written, in Django's letters.
        reason, opt_out: sentences that are left out where they do not apply.
        stop, start: words by which people say that they want none, or some again; in capitals.
    """

    language: str
    notice: str
    reason: str
    opt_out: str
    date: str
    stop: frozenset[str]
    start: frozenset[str]

    def __post_init__(self) -> None:
        for text, wanted, allowed in (
            (self.notice, _NEEDED, _NEEDED | {"reason", "opt_out"}),
            (self.reason, frozenset({"text"}), frozenset({"text"})),
            (self.opt_out, frozenset[str](), frozenset[str]()),
        ):
            found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            if not wanted <= found or not found <= allowed:
                raise WordingError(
                    f"The text in {self.language} names {', '.join(sorted(found)) or 'nothing'}.",
                    f"It must name {', '.join(sorted(wanted))}.",
                )
            if has_link(text) or not is_plain(text):
                raise WordingError(
                    f"The text in {self.language} holds a link, an address or hidden characters.",
                    "People are told a short code and a code: nobody can copy those into another message.",
                )


@dataclass(frozen=True)
class Told:
    """What one notice tells.

    Args:
        imei: key of the identity: 14 digits as a number, or negative.
        text: a malformed identity; else empty.
        reason: in the reader's language; empty: it is not told.
        opt_out: whether to say how to get no more.
    """

    name: str
    imei: int
    text: str
    block_on: date
    short_code: str
    code: str
    reason: str = ""
    opt_out: bool = False


def wordings() -> Mapping[str, Wording]:
    """Every language that notices can be in, by its code.

    Raises:
        WordingError: a file is not as it must be.
    """
    return _wordings()


@cache
def _wordings() -> Mapping[str, Wording]:
    found: dict[str, Wording] = {}
    for file in sorted(files(__package__).joinpath("texts").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            language = file.name.removesuffix(".toml")
            found[language] = wording_of(language, file.read_text(encoding="utf-8"))
    return found


def wording_of(language: str, toml: str) -> Wording:
    """The wording in a file.

    Raises:
        WordingError: it is not as it must be.
    """
    try:
        read = tomllib.loads(toml)
        return Wording(
            language=language,
            notice=str(read["notice"]),
            reason=str(read["reason"]),
            opt_out=str(read["opt_out"]),
            date=str(read["date"]),
            stop=frozenset(str(word).upper() for word in read["stop"]),
            start=frozenset(str(word).upper() for word in read["start"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise WordingError(f"The texts in {language} cannot be read.", str(error)) from error


def render(wording: Wording, told: Told) -> str:
    """The text of a notice. A value that could mislead its reader is left out, never the notice."""
    with translation.override(wording.language):
        day = date_format(told.block_on, wording.date)
    reason = safe(told.reason)
    text = wording.notice.format(
        name=safe(told.name),
        imei=told.text or Imei.from_number(told.imei).printed,
        date=day,
        short_code=told.short_code,
        code=grouped(told.code),
        reason=wording.reason.format(text=reason.rstrip(".")) if reason else "",
        opt_out=wording.opt_out if told.opt_out else "",
    )
    return " ".join(text.split())


def grouped(code: str) -> str:
    """A code as people read it: four and four."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def safe(text: str) -> str:
    """A text that may stand in a notice; empty if it may not: with a link, an address, more than a line."""
    kept = unicodedata.normalize("NFC", text).strip()
    if len(kept) > _LONGEST_VALUE or has_link(kept) or not is_plain(kept):
        return ""
    return kept


def has_link(text: str) -> bool:
    """Whether a phone might show something in it to tap on."""
    return _LINK.search(unicodedata.normalize("NFKC", text)) is not None


def is_plain(text: str) -> bool:
    """Whether everything in it is seen, in the order in which it stands."""
    return not any(unicodedata.category(character) in _UNSEEN for character in text)
