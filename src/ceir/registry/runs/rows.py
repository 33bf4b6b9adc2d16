"""Rows of a publication's files as values; a file that holds anything else is refused with its line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, NamedTuple

from ceir.identifiers import InvalidIdentifierError, normalise_imei
from ceir.registry.equipment_keys import StoredIdentity
from ceir.registry.runs.models import Outcome
from ceir.registry.runs.publication import ListedFile, Publication, RunRefusedError

DECISION_COLUMNS = ("imei", "outcome", "since", "block_date", "reasons", "conditions")
CONTACT_COLUMNS = ("imei", "imsi", "msisdn", "block_date", "reasons")
EXCEPTION_COLUMNS = ("imei", "imsi", "msisdn")
AMNESTY_COLUMN = "amnesty_granted"
CHANGE_COLUMNS = ("change", "reason")
CHANGES = frozenset({"added", "changed", "removed"})

_OUTCOMES = frozenset(o.value for o in Outcome)
_LONGEST_TEXT = 20_000


class RunRowsError(RunRefusedError):
    """A file is the right one by its manifest, and yet no list of the pipeline."""

    code: ClassVar[str] = "run_rows_invalid"


class DecisionRow(NamedTuple):
    """A row of the decisions.

    Args:
        change: `added`, `changed` or `removed` in a file of changes; else empty.
        text: a malformed identity as reported; else empty.
        since, block_on: ISO days; a block date may be None.
    """

    change: str
    imei: int
    text: str
    outcome: str
    since: str
    block_on: str | None
    reasons: str
    conditions: str


class ContactRow(NamedTuple):
    """A row of an operator's notifications, in clear: it lives as long as it is read."""

    change: str
    imei: int
    imsi: str
    msisdn: str
    block_on: str
    amnesty: bool


class ExceptionRow(NamedTuple):
    """A row of an operator's exceptions, in clear: it lives as long as it is read.

    Args:
        change: `added` or `removed` in a file of changes; else empty.
        text: a malformed identity as reported; else empty.
        msisdn: empty: the run lets the line go on by itself, and not for a pairing.
    """

    change: str
    imei: int
    text: str
    imsi: str
    msisdn: str


@dataclass
class _Days:
    """ISO texts of the few different days of a file, each checked once."""

    known: dict[str, str]

    def iso(self, text: str) -> str:
        found = self.known.get(text)
        if found is None:
            if len(text) != 8 or not (text.isascii() and text.isdigit()):
                raise ValueError("a day is not YYYYMMDD")
            found = date(int(text[:4]), int(text[4:6]), int(text[6:])).isoformat()
            self.known[text] = found
        return found


def decision_rows(publication: Publication, listed: ListedFile) -> Iterator[DecisionRow]:
    """The rows of the decisions, whole or changed.

    Raises:
        RunRowsError: a row is none; as many rows as the manifest says did not come.
        RunTamperedError: the file changed while it was read.
    """
    days, texts = _Days({}), set[str]()
    changed = listed.file.startswith("delta/")
    header = (*CHANGE_COLUMNS, *DECISION_COLUMNS) if changed else DECISION_COLUMNS
    for place, values in _values(publication, listed, (header,)):
        try:
            change = values[0] if changed else ""
            imei, outcome, since, block_date, reasons, conditions = values[-6:]
            if outcome not in _OUTCOMES or (changed and change not in CHANGES):
                raise ValueError("an outcome or a change is none")
            if (outcome in ("blocked", "notified")) and not block_date:
                raise ValueError("a block date is missing")
            for told in (reasons, conditions):
                if told not in texts:
                    _require_plain(told)
                    texts.add(told)
            number, text = number_of(imei)
            yield DecisionRow(
                change, number, text, outcome, days.iso(since), days.iso(block_date) if block_date else None,
                reasons, conditions,
            )  # fmt: skip
        except (ValueError, InvalidIdentifierError) as error:
            raise _wrong(listed, place, error) from error


def contact_rows(publication: Publication, listed: ListedFile) -> Iterator[ContactRow]:
    """The rows of an operator's notifications, whole or changed.

    Raises:
        RunRowsError, RunTamperedError: as `decision_rows`.
    """
    days = _Days({})
    changed = listed.file.startswith("delta/")
    before = CHANGE_COLUMNS if changed else ()
    plain = (*before, *CONTACT_COLUMNS)
    skipped = len(before)
    for place, values in _values(publication, listed, (plain, (*plain, AMNESTY_COLUMN))):
        try:
            change = values[0] if changed else ""
            imei, imsi, msisdn, block_date, _reasons, *amnesty = values[skipped:]
            if changed and change not in CHANGES:
                raise ValueError("a change is none")
            if not _is_number(imsi) or not _is_number(msisdn):
                raise ValueError("an IMSI or a number has not 1 to 15 digits")
            number, _ = number_of(imei)
            yield ContactRow(change, number, imsi, msisdn, days.iso(block_date), amnesty == ["1"])
        except (ValueError, InvalidIdentifierError) as error:
            raise _wrong(listed, place, error) from error


def exception_rows(publication: Publication, listed: ListedFile) -> Iterator[ExceptionRow]:
    """The rows of an operator's exceptions, whole or changed.

    Raises:
        RunRowsError, RunTamperedError: as `decision_rows`.
    """
    changed = listed.file.startswith("delta/")
    header = (*CHANGE_COLUMNS, *EXCEPTION_COLUMNS) if changed else EXCEPTION_COLUMNS
    for place, values in _values(publication, listed, (header,)):
        try:
            change = values[0] if changed else ""
            imei, imsi, msisdn = values[-3:]
            if changed and change not in ("added", "removed"):
                raise ValueError("a change is none")
            if not _is_number(imsi) or (msisdn and not _is_number(msisdn)):
                raise ValueError("an IMSI or a number has not 1 to 15 digits")
            yield ExceptionRow(change, *number_of(imei), imsi, msisdn)
        except (ValueError, InvalidIdentifierError) as error:
            raise _wrong(listed, place, error) from error


def number_of(text: str) -> tuple[int, str]:
    """The key of an identity in a list, and its text if it is malformed.

    The key of a malformed identity is the pipeline's: the same text has the same key on both sides.

    Raises:
        InvalidIdentifierError: it is no identity.
    """
    # Nearly all are: 14 digits, or 15 with the check digit that a policy may ask for.
    if len(text) in (14, 15) and text.isascii() and text.isdigit():
        return int(text[:14]), ""
    identity = normalise_imei(text)
    if identity is None:
        raise InvalidIdentifierError("An identity is empty.")
    stored = StoredIdentity.of(identity)
    return stored.key, stored.malformed


def _values(
    publication: Publication, listed: ListedFile, headers: tuple[tuple[str, ...], ...]
) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and values of a file whose header is one of these."""
    count = 0
    with publication.opened(listed) as file:
        lines = file.lines()
        try:
            columns = tuple(next(lines, "").split(","))
            if columns not in headers:
                raise RunRowsError(f"{listed.file} does not have the columns of its list.", _HINT)
            width = len(columns)
            for count, line in enumerate(lines, 1):
                values = line.split(",")
                if len(values) != width:
                    raise RunRowsError(
                        f"{listed.file}, line {count + 1}: {len(values)} values instead of {width}.", _HINT
                    )
                yield count + 1, values
        except UnicodeDecodeError as error:
            raise RunRowsError(f"{listed.file}, line {count + 2}: not UTF-8.", _HINT) from error
    if count != listed.rows:
        raise RunRowsError(f"{listed.file} has {count} rows; its manifest says {listed.rows}.", _HINT)


_HINT = "Publish the run again with the version that fits this register."


def _require_plain(text: str) -> None:
    if len(text) > _LONGEST_TEXT:
        raise ValueError("reasons are too long")
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("reasons hold control characters")


def _is_number(text: str) -> bool:
    return 1 <= len(text) <= 15 and text.isascii() and text.isdigit()


def _wrong(listed: ListedFile, line: int, error: Exception) -> RunRowsError:
    detail = error.detail if isinstance(error, InvalidIdentifierError) else str(error)
    return RunRowsError(f"{listed.file}, line {line}: {detail.rstrip('.')}.", _HINT)
