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
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

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
    def from_json(cls, raw: dict[str, Any]) -> "Header":
        """As it was read.

        Raises:
            SnapshotRefusedError: fields missing or of another version.
        """
        try:
            if raw["format"] != 1:
                raise SnapshotRefusedError(
                    f"Snapshot format {raw['format']} is not known.", "Update the checker."
                )
            sections = tuple(Section(**section) for section in raw["sections"])
            header = cls(**{**raw, "sections": sections})
            datetime.fromisoformat(header.expires_at)
        except (KeyError, TypeError, ValueError) as error:
            raise SnapshotRefusedError("The snapshot's header cannot be read.", "Fetch it again.") from error
        return header

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
