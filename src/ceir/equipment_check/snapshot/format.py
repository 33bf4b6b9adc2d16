"""The snapshot file: what the register signs and an operator's checkers map into memory.

    offset 0   magic `CEIRSNP1`
           8   length of the header, unsigned 32 bits, little endian
          12   header: canonical JSON (`Header`), with the SHA-256 of every section
           .   Ed25519 signature of everything before it, 64 bytes
           .   sections, each on a multiple of 8

A set of IMEIs is paged by TAC. A page has 16 slots, one for each 65,536 serial numbers; a slot says where
its container lies and of which kind it is: sorted 16-bit numbers, runs (all first ones, then all last ones),
or bits up to the last one set, whichever is smallest. These are the containers of Roaring bitmaps with bits
that end early, because serial numbers are given out from the bottom; own bytes because nothing kept lets
Python look into a mapped file without copying it into each process (docs/adr/0012-snapshot.md).
"""

import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, TypeVar, get_args

from ceir.errors import CeirError

MAGIC = b"CEIRSNP1"
PREFIX = struct.Struct("<8sI")
SIGNATURE_BYTES = 64
ALIGN = 8
SERIALS = 1_000_000
"""Serial numbers of a TAC."""

SLOTS = 16
"""Containers of a page: 16 times 65,536 covers the million serial numbers."""

KIND_ARRAY, KIND_RUNS, KIND_BITS = 1, 2, 3
COUNT_BITS = 20
KIND_SHIFT = COUNT_BITS
OFFSET_SHIFT = COUNT_BITS + 4
"""A slot is one 64-bit number: offset in 16-bit units, kind, and how many numbers, runs or bytes."""

StatusName = Literal["permitted", "tracked", "blocked", "unknown"]

LISTS: Final[tuple[StatusName, ...]] = ("blocked", "tracked", "permitted")
"""In order of precedence: an identity on two lists has the status of the first."""


class SnapshotRefusedError(CeirError):
    """The file is not a snapshot that may be served; the last good one goes on serving."""

    code = "snapshot_refused"


class SnapshotExpiredError(SnapshotRefusedError):
    """The file is good but its time is over.

    Args:
        sequence: of the lists it leads to.
    """

    code = "snapshot_expired"

    def __init__(self, detail: str, sequence: int) -> None:
        super().__init__(detail, "Fetch a newer one.")
        self.sequence = sequence


@dataclass(frozen=True)
class Section:
    """Where a part of the file lies, from the first section's place, and its fingerprint."""

    name: str
    offset: int
    length: int
    sha256: str


@dataclass(frozen=True)
class Header:
    """What a snapshot says of itself.

    Args:
        sequence: raised with every snapshot and delta; a checker never goes back.
        as_of: day of the run that it was made from, YYYY-MM-DD.
        expires_at: moment after which it is refused, ISO 8601 in UTC.
        operator: whose subscribers' exceptions it carries; empty: all.
        otherwise: answer for identities on no list.
        malformed: answer for identities that are not 14 digits.
        override: answer to everything, whatever the lists say; None: none in force.
        key_id: which key signed it.
        counts: entries by list, for people.
    """

    country: str
    sequence: int
    as_of: str
    expires_at: str
    operator: str
    otherwise: StatusName
    malformed: StatusName
    override: StatusName | None
    key_id: str
    counts: dict[str, int]
    sections: tuple[Section, ...] = ()
    format: int = 1
    extra: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: object) -> "Header":
        """As it was read: whatever a file may hold, only a header comes out.

        Raises:
            SnapshotRefusedError: fields missing, of another kind or out of their range; another version.
        """
        try:
            fields = typed(raw, dict)
            if fields["format"] != 1:
                raise SnapshotRefusedError("The snapshot's format is not known.", "Update the checker.")
            sections = tuple(_section(one) for one in typed(fields["sections"], list))
            if len({section.name for section in sections}) < len(sections):
                raise ValueError("a part comes twice")
            override = fields["override"]
            return cls(
                country=typed(fields["country"], str),
                sequence=natural(fields["sequence"]),
                as_of=day(fields["as_of"]),
                expires_at=moment(fields["expires_at"]),
                operator=typed(fields["operator"], str),
                otherwise=_status(fields["otherwise"]),
                malformed=_status(fields["malformed"]),
                override=None if override is None else _status(override),
                key_id=typed(fields["key_id"], str),
                counts={name: natural(count) for name, count in typed(fields["counts"], dict).items()},
                sections=sections,
                extra=typed(fields["extra"], dict),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotRefusedError("The snapshot's header cannot be read.", "Fetch it again.") from error

    def section(self, name: str) -> Section:
        """The section called `name`.

        Raises:
            SnapshotRefusedError: there is none.
        """
        for section in self.sections:
            if section.name == name:
                return section
        raise SnapshotRefusedError(f"The snapshot lacks its part {name!r}.", "Fetch it again.")


def aligned(offset: int) -> int:
    """The next multiple of 8."""
    return -(-offset // ALIGN) * ALIGN


# --- values as files of strangers may hold them; TypeError or ValueError for what is not taken

_T = TypeVar("_T")
_FIRST_YEAR, _LAST_YEAR = 1971, 9998
"""Years that every computation with moments bears, whatever the time zone."""


def typed(value: object, kind: type[_T]) -> _T:
    """The value, if it is exactly of that kind: a boolean is no number."""
    if type(value) is not kind:
        raise TypeError(f"not of the kind {kind.__name__}")
    return value


def natural(value: object, below: int = 1 << 63) -> int:
    """A whole number from 0."""
    number = typed(value, int)
    if not 0 <= number < below:
        raise ValueError("a number out of its range")
    return number


def day(value: object) -> str:
    """A date, YYYY-MM-DD."""
    found = date.fromisoformat(typed(value, str))
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError("a day out of all time")
    return found.isoformat()


def moment(value: object) -> str:
    """A moment, ISO 8601 with its time zone."""
    text = typed(value, str)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError("a moment without a time zone, or out of all time")
    return text


def _status(value: object) -> StatusName:
    names: Mapping[object, StatusName] = {name: name for name in get_args(StatusName)}
    return names[typed(value, str)]


def _section(value: object) -> Section:
    fields = typed(value, dict)
    return Section(
        typed(fields["name"], str),
        natural(fields["offset"]),
        natural(fields["length"]),
        typed(fields["sha256"], str),
    )
