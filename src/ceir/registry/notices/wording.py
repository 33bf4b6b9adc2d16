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
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import ClassVar

from django.utils import translation
from django.utils.formats import date_format

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.notices.models import Event

# Whatever a phone might make a link of: a scheme, www, or letters, one of the dots of domain names, letters.
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://|\bwww\.|[^\W_][.。．｡][^\W\d_]{2,}|@", re.IGNORECASE)
_NEEDED = frozenset({"name", "imei", "date", "short_code", "code"})
_OF_MATTERS = frozenset({"name", "imei", "check"})
_ALSO: Mapping[Event, frozenset[str]] = {
    Event.CODE: frozenset({"name", "code", "minutes"}),
    Event.CASE_PROVISIONAL: _OF_MATTERS | {"date"},
    Event.APPEAL_EVIDENCE: _OF_MATTERS | {"date"},
}
"""What the text of an event must name, where it is not the same for all."""
_LEFT_TO_RIGHT = "\u200e"
_LONGEST_VALUE = 120
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class WordingError(CeirError):
    """A text of notices cannot be used."""

    code: ClassVar[str] = "wording"


@dataclass(frozen=True)
class Wording:
    """The texts of a language.

    Args:
        notice: of a block that is ahead.
        date: how days are written, in Django's letters.
        reason, opt_out: sentences that are left out where they do not apply.
        stop, start: words by which people say that they want none, or some again; in capitals.
        check: the sentence that says how to find out whether a message is ours.
        matters: the texts of every event but a block.
        right_to_left: whether the language is written so; numbers and codes then stand as one types them.
    """

    language: str
    notice: str
    reason: str
    opt_out: str
    date: str
    stop: frozenset[str]
    start: frozenset[str]
    check: str
    matters: Mapping[Event, str]
    right_to_left: bool = False

    def __post_init__(self) -> None:
        lacking = ", ".join(event.value for event in Event if event not in (Event.BLOCK, *self.matters))
        if lacking:
            raise WordingError(f"There is no text in {self.language} for {lacking}.", "Add it to [matters].")
        dialled = frozenset({"short_code", "code"})
        for text, wanted, allowed in (
            (self.notice, _NEEDED, _NEEDED | {"reason", "opt_out"}),
            (self.reason, frozenset({"text"}), frozenset({"text"})),
            (self.opt_out, frozenset[str](), frozenset[str]()),
            (self.check, dialled, dialled),
            *((text, needed, needed) for event, text in self.matters.items() for needed in [named_by(event)]),
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


def named_by(event: Event) -> frozenset[str]:
    """What the text of an event must name."""
    return _ALSO.get(event, _OF_MATTERS)


def wordings() -> Mapping[str, Wording]:
    """Every language that notices can be in, by its code.

    Raises:
        WordingError: a file is not as it must be.
    """
    return _wordings()


@cache
def _wordings() -> Mapping[str, Wording]:
    return _read(files(__package__).joinpath("texts"))


def wordings_with(folder: Path) -> Mapping[str, Wording]:
    """The languages there are, and those in a folder of the country's own, which take the place of ours.

    Raises:
        WordingError: a file is not as it must be, or cannot be read.
    """
    return {**wordings(), **_read(folder)}


def _read(folder: Traversable) -> Mapping[str, Wording]:
    found: dict[str, Wording] = {}
    try:
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".toml"):
                language = file.name.removesuffix(".toml")
                found[language] = wording_of(language, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WordingError("The texts of notices cannot be read.", str(error)) from error
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
            check=str(read["check"]),
            matters={Event(event): str(text) for event, text in read["matters"].items()},
            right_to_left={"ltr": False, "rtl": True}[read["direction"]],
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise WordingError(f"The texts in {language} cannot be read.", str(error)) from error


def render(wording: Wording, told: Told) -> str:
    """The text of a notice. A value that could mislead its reader is left out, never the notice."""
    reason = safe(told.reason)
    text = wording.notice.format(
        name=safe(told.name),
        imei=_as_typed(told.text or Imei.from_number(told.imei).printed, wording),
        date=_day(told.block_on, wording),
        short_code=_as_typed(told.short_code, wording),
        code=_as_typed(grouped(told.code), wording),
        reason=wording.reason.format(text=reason.rstrip(".")) if reason else "",
        opt_out=wording.opt_out if told.opt_out else "",
    )
    return " ".join(text.split())


def render_matter(
    wording: Wording, event: Event, words: Mapping[str, str], *, name: str, short_code: str, code: str
) -> str:
    """The text of anything but a block.

    Args:
        words: what the event names besides: `imei` as printed, `date` as ISO, `minutes`; of a one-time code
            the code itself.
        code: by which the message is known to be ours.

    Raises:
        WordingError: the event names something that is not among the words.
    """
    check = wording.check.format(
        short_code=_as_typed(short_code, wording), code=_as_typed(grouped(code), wording)
    )
    put = {key: _as_typed(safe(value), wording) for key, value in words.items()}
    if "date" in words:
        put["date"] = _day(date.fromisoformat(words["date"]), wording)
    try:
        text = wording.matters[event].format(**{**put, "name": safe(name), "check": check})
    except KeyError as error:
        raise WordingError(f"Nobody said what {error} of {event.value} is.", "This is a fault.") from error
    return " ".join(text.split())


def _day(day: date, wording: Wording) -> str:
    with translation.override(wording.language):
        return date_format(day, wording.date)


def _as_typed(value: str, wording: Wording) -> str:
    """A number or a code, so that it stands in the order in which it is typed: among letters that are written
    from right to left `*123#` would be shown as `#123*`, and groups of digits the other way round."""
    return f"{_LEFT_TO_RIGHT}{value}{_LEFT_TO_RIGHT}" if wording.right_to_left else value


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
