"""How devices are numbered: an IMEI is a function of the device, so that nobody has to remember it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ceir.testing.country import text
from ceir.testing.country.draws import Bytes, Draws, Ints, Permutation, mixed
from ceir.testing.country.models import LARGEST_SHARE, SERIALS, Catalogue
from ceir.testing.country.spec import CountrySpecError

_PAIRS = SERIALS // 2
_SPREAD = 314_159
"""Shares no factor with 500,000, so that serial numbers of a TAC are scattered and never repeat."""

IMEI_FORMS = (
    "14 digits",
    "15 digits with the Luhn digit",
    "15 digits with the spare 0",
    "16 digits (IMEISV)",
)
"""The forms of one IMEI in files (3GPP TS 23.003 clause 6.2)."""

_ZERO, _NINE, _UPPER_A = (np.uint8(ord(c)) for c in "09A")


@dataclass(frozen=True)
class Numbering:
    """Gives the devices 0 .. size-1 TACs by popularity and serial numbers, all different.

    A device has two IMEIs, one a slot, which follow each other.
    """

    catalogue: Catalogue
    order: Permutation
    counts: Ints
    """Devices of each TAC."""

    @classmethod
    def of(cls, catalogue: Catalogue, size: int, draws: Draws) -> "Numbering":
        """Numbering for `size` devices."""
        return cls(catalogue, draws.permutation("device", size), _shares(catalogue.weight, size))

    @cached_property
    def _ends(self) -> Ints:
        return np.cumsum(self.counts)

    def tac_of(self, device: Ints) -> Ints:
        """Position in the catalogue of the device's TAC."""
        return np.searchsorted(self._ends, self.order.of(device), side="right").astype(np.int64)

    def imei(self, device: Ints, slot: int | Ints = 0) -> Ints:
        """The IMEI (14 digits as a number) in a slot, 0 or 1."""
        rank = self.order.of(device)
        place = np.searchsorted(self._ends, rank, side="right")
        return self._serial(place, rank - (self._ends - self.counts)[place]) + slot

    def special(self, place: Ints, number: Ints) -> Ints:
        """The IMEI number `number` (under 100,000) of a TAC that no ordinary device has."""
        return self._serial(place, self.counts[place] + number)

    def sequential(self, place: Ints, number: Ints) -> Ints:
        """IMEIs in a row, as a fleet has them."""
        return self.catalogue.tac[place] * SERIALS + number % SERIALS

    def _serial(self, place: Ints, number: Ints) -> Ints:
        serial = (number * _SPREAD + place * 7919) % _PAIRS * 2
        imei: Ints = self.catalogue.tac[place] * SERIALS + serial
        return imei


def _shares(weight: Ints, size: int) -> Ints:
    """`size` devices shared out by weight with `LARGEST_SHARE` as the most for one."""
    counts = np.zeros_like(weight)
    usable = int(np.count_nonzero(weight)) * LARGEST_SHARE
    if size > usable:
        raise CountrySpecError(
            f"The TAC list has room for {usable} devices and the country needs {size}.", "Ask for more TACs."
        )
    for _ in range(100):
        missing = size - int(counts.sum())
        room = np.where(counts < LARGEST_SHARE, weight, 0)
        # Whole numbers only; Python's own, for the product outgrows 64 bits.
        total = max(1, int(room.sum()))
        added = np.asarray([missing * w // total for w in room.tolist()], dtype=np.int64)
        if not added.any():
            break
        counts = np.minimum(counts + added, LARGEST_SHARE)
    missing = size - int(counts.sum())
    with_room = np.flatnonzero((weight > 0) & (counts < LARGEST_SHARE))
    while missing > 0:
        place = with_room[:missing]
        counts[place] += 1
        missing -= len(place)
        with_room = with_room[counts[with_room] < LARGEST_SHARE]
    return counts


def luhn_digits(body: Bytes) -> Bytes:
    """The check digit of each row of 14 digits, as text (3GPP TS 23.003 annex B)."""
    values = (body - _ZERO).astype(np.int64)
    doubled = values[:, 1::2] * 2
    total = values[:, 0::2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    check: Bytes = ((10 - total % 10) % 10).astype(np.uint8) + _ZERO
    return check[:, None]


def normalised(imei: Ints) -> Bytes:
    """The IMEI as the rules know it: 14 digits, or the upper-case text of a malformed one."""
    out = np.zeros((len(imei), 16), dtype=np.uint8)
    out[:, :14] = text.digits(np.maximum(imei, 0), 14)
    bad = np.flatnonzero(imei < 0)
    if bad.size:
        out[bad] = _malformed(-imei[bad])
    return out


def written(imei: Ints, form: Ints) -> Bytes:
    """The IMEI as a file has it, in one of the `IMEI_FORMS`."""
    out = normalised(imei)
    body = out[:, :14].copy()
    fine = imei >= 0
    for which, tail in ((1, luhn_digits), (2, _spare_zero), (3, _software_version)):
        rows = np.flatnonzero(fine & (form == which))
        if rows.size:
            added = tail(body[rows])
            out[rows, 14 : 14 + added.shape[1]] = added
    # Some networks write letters small; the rules see no difference.
    small = np.flatnonzero(~fine & (form % 2 == 1))
    if small.size:
        raw = out[small]
        out[small] = np.where(raw >= _UPPER_A, raw | np.uint8(0x20), raw)
    return out


def _spare_zero(body: Bytes) -> Bytes:
    return np.full((len(body), 1), _ZERO)


def _software_version(body: Bytes) -> Bytes:
    """Two digits that depend on the model: one version a model is the common case."""
    return np.stack([_ZERO + body[:, 6] % 3, _ZERO + body[:, 7] % 10], axis=1)


def _malformed(code: Ints) -> Bytes:
    """Five kinds of broken IMEI, each allowed in a file and none with 14 digits in front."""
    words = mixed(code.astype(np.uint64))
    hexadecimal = np.frombuffer(b"0123456789ABCDEF", dtype=np.uint8)
    nibbles = (words[:, None] >> (np.arange(16, dtype=np.uint64) * np.uint64(4))) & np.uint64(15)
    letters = hexadecimal[nibbles.astype(np.int64)]
    out: Bytes = np.where(letters > _NINE, letters - np.uint8(17), letters).astype(np.uint8)
    # Never a leading 1: it would look like a file that lost its leading zeros.
    out[:, 0], out[:, 1] = ord("3"), ord("5")
    kind = code % 5
    rows = np.arange(len(code))
    out[kind == 0, 13:] = 0
    out[kind == 1, 8:] = 0
    hexed = kind == 2
    out[hexed, 2:] = letters[hexed, 2:]
    out[hexed, 9] = ord("A") + (code[hexed] // 5 % 6).astype(np.uint8)
    out[hexed, 14:] = 0
    starred = kind == 3
    out[starred, :2] = list(b"*#")
    out[starred, 12:] = 0
    hashed = rows[kind == 4]
    out[hashed, 3 + code[hashed] // 5 % 10] = ord("#")
    out[hashed, 15:] = 0
    return out
