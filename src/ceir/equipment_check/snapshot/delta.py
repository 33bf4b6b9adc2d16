"""A delta: the few changes since a snapshot, signed, applied in memory without rebuilding anything."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ceir.equipment_check.snapshot.format import (
    LISTS,
    PREFIX,
    SIGNATURE_BYTES,
    SnapshotExpiredError,
    SnapshotRefusedError,
    day,
    moment,
    natural,
    typed,
)
from ceir.equipment_check.snapshot.reading import Snapshot, Verdict
from ceir.equipment_check.status import Answer, EquipmentStatus, Reason

DELTA_MAGIC = b"CEIRDLT1"
MOST_DELTA_BYTES = 1 << 28
_IMEIS, _IMSIS = 10**14, 2 * 10**15

Pair = tuple[int, int]
T = TypeVar("T")

_AT_ONCE, _PAUSE = 1000, 0.002
"""Entries applied without a pause (a quarter of a millisecond), and seconds of it: see `verifying`."""

_BITS = len(LISTS)


@dataclass(frozen=True)
class Delta:
    """Changes from one sequence to the next.

    Args:
        base: the sequence it applies to.
        as_of: day of the run that it leads to, YYYY-MM-DD.
        added: for each list the IMEIs that came on it.
        removed: for each list the IMEIs that left it.
        paired: (imei, imsi) that came.
        unpaired: (imei, imsi) that left.
    """

    base: int
    sequence: int
    as_of: str
    expires_at: str
    key_id: str
    added: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    removed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    paired: tuple[Pair, ...] = ()
    unpaired: tuple[Pair, ...] = ()


def write_delta(delta: Delta, key: Ed25519PrivateKey, target: Path) -> None:
    """Write a signed delta; the file appears whole or not at all."""
    text = json.dumps(
        {
            "base": delta.base,
            "sequence": delta.sequence,
            "as_of": delta.as_of,
            "expires_at": delta.expires_at,
            "key_id": delta.key_id,
            "added": delta.added,
            "removed": delta.removed,
            "paired": delta.paired,
            "unpaired": delta.unpaired,
        },
        sort_keys=True,
        separators=(",", ":"),
    ).encode("utf-8")
    signed = PREFIX.pack(DELTA_MAGIC, len(text)) + text
    fresh = target.with_name(f".{target.name}.new")
    with fresh.open("wb") as file:
        file.write(signed + key.sign(signed))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)


def read_delta(path: Path, keys: Mapping[str, Ed25519PublicKey], now: datetime) -> Delta:
    """A delta whose signature is good and whose time is not over.

    Raises:
        SnapshotRefusedError: not a delta, unsigned, signed by a stranger, damaged, or expired.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_DELTA_BYTES else b""
    except OSError as error:
        raise SnapshotRefusedError(
            f"{path.name} cannot be opened.", "Check that it arrived whole."
        ) from error
    if len(raw) < PREFIX.size + SIGNATURE_BYTES or raw[:8] != DELTA_MAGIC:
        raise SnapshotRefusedError("The file is not a delta.", "Fetch it again.")
    signed, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    # First who signed it: nothing of a stranger's is worth the memory that reading it takes.
    signer = _signer(signed, signature, keys)
    _, length = PREFIX.unpack(signed[: PREFIX.size])
    if length != len(signed) - PREFIX.size:
        raise SnapshotRefusedError("The delta is cut off.", "Fetch it again.")
    try:
        delta = _delta(json.loads(signed[PREFIX.size :]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SnapshotRefusedError(
            "The delta is signed but cannot be read.", "Tell the register: it wrote a bad delta."
        ) from error
    if delta.key_id != signer:
        raise SnapshotRefusedError(
            f"The delta names the key {delta.key_id!r} and is signed with {signer!r}.", "Tell the register."
        )
    if datetime.fromisoformat(delta.expires_at) <= now:
        raise SnapshotExpiredError(f"The delta expired at {delta.expires_at}.", delta.sequence)
    return delta


def _signer(signed: bytes, signature: bytes, keys: Mapping[str, Ed25519PublicKey]) -> str:
    for name, key in keys.items():
        try:
            key.verify(signature, signed)
        except InvalidSignature:
            continue
        return name
    raise SnapshotRefusedError(
        "The delta is signed with no trusted key, or was changed.",
        "Fetch it again; if it stays so, add the register's new public key or tell the register.",
    )


def _delta(raw: object) -> Delta:
    document = typed(raw, dict)
    return Delta(
        base=natural(document["base"]),
        sequence=natural(document["sequence"]),
        as_of=day(document["as_of"]),
        expires_at=moment(document["expires_at"]),
        key_id=typed(document["key_id"], str),
        added=_by_list(document["added"]),
        removed=_by_list(document["removed"]),
        paired=_pairs(document["paired"]),
        unpaired=_pairs(document["unpaired"]),
    )


class PatchedSnapshot:
    """A snapshot with deltas applied: answers as a snapshot built anew would.

    Args:
        touched: of every identity that some delta touched, the lists it came on (the lowest bits, in the
            order of `LISTS`) and those it left (the bits above). What the snapshot says of it is looked up
            when it is asked about: to look it up for each entry of a delta took many times as long.
        pairs: whether a pair that some delta touched came, or left.
    """

    def __init__(
        self,
        base: Snapshot,
        sequence: int,
        as_of: str,
        expires_at: str,
        touched: Mapping[int, int],
        pairs: Mapping[Pair, bool],
    ) -> None:
        self.base = base
        self.sequence = sequence
        self.as_of = as_of
        self.expires_at = expires_at
        self._touched = touched
        self._pairs = pairs
        self._paired = Answer(EquipmentStatus.PERMITTED, Reason.PAIRED)

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        """The answer to a question, by the same order of decision as the snapshot's."""
        return self.quickest()(imei, software_version, imsi)

    def quickest(self) -> Verdict:
        """What answers as `verdict` does, over plain names; for whoever asks more than once."""
        of_base, pairs = self.base.answering(), self._pairs
        if self.base.header.override is not None or not (self._touched or pairs):
            return of_base
        touched, patched = self._touched.get, self._patched
        permitted = EquipmentStatus.PERMITTED

        def verdict(imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
            if imei is None or touched(imei) is None:
                if not pairs:
                    return of_base(imei, software_version, imsi)
                answer = of_base(imei, software_version, None)
                if imsi is None or answer.status is permitted:
                    return answer
            return patched(imei, software_version, imsi)

        return verdict

    def _patched(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        if imei is None:
            return self.base.verdict(None, software_version, imsi)
        changes = self._touched.get(imei)
        if changes is None:
            answer = self.base.of_equipment(imei, software_version)
        elif lists := (self.base.membership(imei) & ~(changes >> _BITS)) | changes & (1 << _BITS) - 1:
            answer = self.base.answer_of(lists)
        else:
            answer = self.base.off_lists(imei, software_version)
        if imsi is None or answer.status is EquipmentStatus.PERMITTED:
            return answer
        paired = self._pairs.get((imei, imsi))
        if paired is None:
            return self.base.exception(imei, imsi) or answer
        if paired:
            return self._paired
        return self.base.exception(None, imsi) or answer

    def patched(self, delta: Delta) -> "PatchedSnapshot":
        """The snapshot with one more delta; this one stays as it is.

        Raises:
            SnapshotRefusedError: the delta is for another sequence.
        """
        if delta.base != self.sequence or delta.sequence <= self.sequence:
            raise SnapshotRefusedError(
                f"The delta leads from {delta.base} to {delta.sequence}; {self.sequence} is in force.",
                "Fetch the deltas in order, or a whole snapshot.",
            )
        touched, pairs = dict(self._touched), dict(self._pairs)
        for place, name in enumerate(LISTS):
            came, left = 1 << place, 1 << place + _BITS
            for imeis, now, no_more in ((delta.added, came, left), (delta.removed, left, came)):
                for some in _without_haste(imeis.get(name, ())):
                    touched.update([(imei, touched.get(imei, 0) & ~no_more | now) for imei in some])
        for changed, come in ((delta.paired, True), (delta.unpaired, False)):
            for some_pairs in _without_haste(changed):
                pairs.update(dict.fromkeys(some_pairs, come))
        return PatchedSnapshot(self.base, delta.sequence, delta.as_of, delta.expires_at, touched, pairs)


def _without_haste(entries: Sequence[T]) -> Iterator[Sequence[T]]:
    """The entries, some at a time, with a pause in between: a server answers meanwhile in other threads."""
    for begin in range(0, len(entries), _AT_ONCE):
        if begin:
            time.sleep(_PAUSE)
        yield entries[begin : begin + _AT_ONCE]


def _by_list(raw: object) -> dict[str, tuple[int, ...]]:
    lists = typed(raw, dict)
    if set(lists) - set(LISTS):
        raise ValueError("unknown list")
    return {name: tuple(_numbers(typed(imeis, list), _IMEIS)) for name, imeis in lists.items()}


def _numbers(raw: list[object], below: int) -> list[int]:
    """The list itself, if all are whole numbers from 0 on; to ask `natural` about each takes too long."""
    numbers = cast("list[int]", raw)
    for some in _without_haste(numbers):
        if set(map(type, some)) != {int} or not 0 <= min(some) <= max(some) < below:
            raise ValueError("not a number in its range")
    return numbers


def _pairs(raw: object) -> tuple[Pair, ...]:
    found: list[Pair] = []
    for some in _without_haste(typed(raw, list)):
        found += [
            (natural(imei, _IMEIS), natural(imsi, _IMSIS))
            for imei, imsi in (typed(pair, list) for pair in some)
        ]
    return tuple(found)
