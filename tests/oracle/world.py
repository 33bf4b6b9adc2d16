"""What the raw files say, as plain values: equipment, its uses by day, and the reference lists."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

ASCII_BLANKS = " \t\n\r\x0b\x0c"

NON_CELLULAR, G2, G3, G4, G5 = 1, 2, 4, 8, 16

GENERATION_OF_RAT = {
    "001": G3,
    "002": G2,
    "003": NON_CELLULAR,
    "004": NON_CELLULAR,
    "005": G3,
    "006": G4,
    "007": NON_CELLULAR,
    "008": G4,
    "009": G4,
    "010": G5,
    "101": G4,
    "102": G3,
    "103": G3,
    "104": G2,
    "105": G4,
}

MARKS_OF_GENERATION = {
    G2: ("GSM", "GPRS", "EDGE", " CDMA "),
    G3: ("HSPA", "HSUPA", "HSDPA", "EVDO", "WCDMA", "UMTS", "TDS-CDMA", "TD-SCDMA", "CDMA2000"),
    G4: ("LTE", "CA_", "DC_", "WIMAX", "UMB"),
    G5: ("5G", " NR", ",NR"),
}

_ALLOWED_IMEI = re.compile(r"[0-9A-Fa-f*#]{1,16}")
_FOURTEEN_DIGITS = re.compile(r"[0-9]{14}")


class UndefinedError(ValueError):
    """Input or policy asks for something the specification leaves open; better no answer than a guess."""


def trimmed(text: str) -> str:
    return text.strip(ASCII_BLANKS)


def is_allowed_imei(text: str) -> bool:
    """Whether a trimmed, non-empty IMEI text consists of allowed characters only."""
    return _ALLOWED_IMEI.fullmatch(text) is not None


def normalised(text: str) -> str | None:
    """The normalised IMEI of a raw text, None when it is empty."""
    text = trimmed(text)
    if not text:
        return None
    if _FOURTEEN_DIGITS.match(text):
        return text[:14]
    return text.upper()


def md5_of(imei: str) -> str:
    """The form in which the golden list may name a normalised IMEI."""
    return hashlib.md5(imei.encode(), usedforsecurity=False).hexdigest()


def is_well_formed(imei: str) -> bool:
    return _FOURTEEN_DIGITS.fullmatch(imei) is not None


def is_valid_imsi(imsi: str) -> bool:
    """Length is all that is left to ask: the reader admits digits only."""
    return 14 <= len(imsi) <= 15


def is_valid_msisdn(msisdn: str) -> bool:
    return 7 <= len(msisdn) <= 15


def generations_of_bands(bands: str) -> int | None:
    """The generation mask of a `bands` text, None (unknown) when nothing in it can be read."""
    text = trimmed(bands).upper()
    mask = 0
    for generation, marks in MARKS_OF_GENERATION.items():
        if any(mark in text for mark in marks):
            mask |= generation
    if text.startswith("CDMA ") or ",CDMA " in text or "/CDMA " in text:
        mask |= G2
    if text.startswith("NR") or any(before + "NR" in text for before in "/;|"):
        mask |= G5
    if not mask and any(word in text for word in ("WLAN", "WIFI", "WI-FI", "BLUETOOTH", "DECT", "SATELLITE")):
        return NON_CELLULAR
    return mask or None


class Calendar:
    """Gives each distinct day met in the files one bit, in the order they are met.

    Masks stay as wide as the number of distinct days, wherever on the time line those days lie.
    """

    def __init__(self) -> None:
        self._bit_of: dict[date, int] = {}

    def bit(self, day: date) -> int:
        """The one-bit mask of a day, a new one when the day is new."""
        return self._bit_of.setdefault(day, 1 << len(self._bit_of))

    def window(self, start: date, end: date) -> int:
        """The mask of all known days in [start, end)."""
        return sum(bit for day, bit in self._bit_of.items() if start <= day < end)

    def days(self, mask: int) -> list[date]:
        """The days of a mask, in order."""
        return sorted(day for day, bit in self._bit_of.items() if bit & mask)

    def every_day(self) -> list[tuple[date, int]]:
        """Every known day with its bit, in their order."""
        return sorted(self._bit_of.items())

    def first(self, mask: int) -> date:
        """The earliest day of a mask that is not empty."""
        return min(day for day, bit in self._bit_of.items() if bit & mask)


@dataclass(slots=True)
class Equipment:
    """One normalised IMEI and every day it was used, by (imsi, msisdn, operator); absent numbers are ''.

    A use is a list of one day mask, so that a reader can keep a handle on it and add days.
    """

    imei: str
    uses: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    generations: int = 0
    generations_of: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    """Day mask of each IMSI and mask of generations that one row told of it."""

    @property
    def tac(self) -> str:
        return self.imei[:8]

    @property
    def days(self) -> int:
        mask = 0
        for use in self.uses.values():
            mask |= use[0]
        return mask


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the TAC list, as far as rules look at it."""

    manufacturer: str
    model_name: str
    bands: str
    device_type: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One type approval of a TAC; an absent date is open."""

    status: str
    valid_from: date | None
    valid_until: date | None

    def in_force(self, day: date) -> bool:
        return (
            self.status in {"", "valid"}
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or self.valid_until >= day)
        )


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A location event; moments are seconds since 1970."""

    started_at: int
    ended_at: int
    imsi: str
    cell: str
    operator: str


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """What equipment showed on a day; what was not told is ''."""

    seen_on: date
    imsi: str
    software_version: str
    capability: str
    agent: str
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a cell stands, in millionths of a degree; a radius that is None was not told."""

    latitude: int
    longitude: int
    radius_m: int | None


@dataclass(slots=True)
class World:
    """Everything the files say. A list that is None was never ingested, which is not the same as empty."""

    calendar: Calendar = field(default_factory=Calendar)
    seen: dict[str, Equipment] = field(default_factory=dict)
    models: dict[str, Model] | None = None
    capabilities: dict[str, int | None] | None = None
    stolen: set[str] | None = None
    stolen_foreign: set[str] | None = None
    registered: set[str] | None = None
    pairings: set[tuple[str, str, str]] | None = None
    golden_md5: set[str] | None = None
    restored: set[tuple[str, str]] | None = None
    barred: set[str] | None = None
    barred_tacs: set[str] | None = None
    barred_ranges: list[tuple[str, str]] | None = None
    monitored: set[str] | None = None
    uids_of_imsi: dict[str, set[str]] | None = None
    associated: set[str] | None = None
    approvals: dict[str, list[Approval]] | None = None
    releases: dict[str, list[date | None]] | None = None
    software_versions: dict[tuple[str, str], str] | None = None
    owners: dict[str, set[str]] | None = None
    device_of: dict[str, str] | None = None
    scrapped: dict[str, date] | None = None
    proofs: set[tuple[str, str, str]] | None = None
    cells: dict[str, Cell] | None = None
    sightings: dict[str, set[Sighting]] | None = None
    fingerprints: dict[str, set[Fingerprint]] | None = None
    rejected: Counter[str] = field(default_factory=Counter)

    def in_barred_range(self, imei: str) -> bool:
        """Whether a well-formed IMEI lies in one of the ranges; digits of equal length sort as numbers do."""
        ranges = self.barred_ranges or ()
        return is_well_formed(imei) and any(first <= imei <= last for first, last in ranges)


def capabilities_of(models: dict[str, Model]) -> dict[str, int | None]:
    """Generation mask of every TAC: the union over all TACs of its model; None when none of them tells."""
    of_model: dict[tuple[str, str], int] = {}
    for row in models.values():
        mask = generations_of_bands(row.bands)
        if mask is not None and row.manufacturer and row.model_name:
            name = (row.manufacturer, row.model_name)
            of_model[name] = of_model.get(name, 0) | mask
    return {tac: of_model.get((row.manufacturer, row.model_name)) for tac, row in models.items()}
