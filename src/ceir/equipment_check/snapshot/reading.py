"""Reading a snapshot: mapped, shared between processes, verified before it answers anything."""

import contextlib
import json
import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ceir.equipment_check.snapshot.format import (
    COUNT_BITS,
    KIND_ARRAY,
    KIND_BITS,
    LISTS,
    MAGIC,
    OFFSET_SHIFT,
    PREFIX,
    SERIALS,
    SIGNATURE_BYTES,
    SLOTS,
    Header,
    SnapshotExpiredError,
    SnapshotRefusedError,
    aligned,
)
from ceir.equipment_check.status import Answer, EquipmentStatus, Reason

_STATUSES = (
    EquipmentStatus.PERMITTED,
    EquipmentStatus.TRACKED,
    EquipmentStatus.BLOCKED,
    EquipmentStatus.UNKNOWN,
)
_COUNT_MASK = (1 << COUNT_BITS) - 1
_LOW_MASK = 0xFFFF
_KIND_MASK = 0xF

MOST_HEADER_BYTES = 1 << 20


T = TypeVar("T")

Verdict = Callable[[int | None, int | None, int | None], Answer]
"""A checker's `verdict` by itself."""


class ImeiSet:
    """A set of IMEIs in a mapped file."""

    def __init__(self, pages: memoryview, containers: memoryview) -> None:
        numbers = pages.cast("Q")
        tacs = len(numbers) // (SLOTS + 1)
        self._slots = numbers[tacs:]
        self._place = {tac: place * SLOTS for place, tac in enumerate(numbers[:tacs].tolist())}
        self._words = containers.cast("H")
        self._bytes = containers

    def __len__(self) -> int:
        """TACs with a member."""
        return len(self._place)

    def tacs(self) -> frozenset[int]:
        """TACs of which an IMEI is in it."""
        return frozenset(self._place)

    def page(self, tac: int) -> tuple[tuple[int, int, bytes], ...]:
        """Kind, count and octets of every container of a TAC: equal pages hold the same IMEIs."""
        place = self._place.get(tac)
        if place is None:
            return ()
        return tuple(self._container(self._slots[place + slot]) for slot in range(SLOTS))

    def members(self, tac: int) -> Iterator[int]:
        """Serial numbers of a TAC's IMEIs, in order."""
        for slot, (kind, _, octets) in enumerate(self.page(tac)):
            high = slot << 16
            if kind == KIND_BITS:
                for place, bits in enumerate(octets):
                    yield from (high + place * 8 + bit for bit in range(8) if bits >> bit & 1)
                continue
            words = memoryview(octets).cast("H")
            if kind == KIND_ARRAY:
                yield from (high + low for low in words)
            else:
                half = len(words) // 2
                for first, last in zip(words[:half], words[half:], strict=True):
                    yield from range(high + first, high + last + 1)

    def _container(self, slot: int) -> tuple[int, int, bytes]:
        if not slot:
            return 0, 0, b""
        start, kind, count = slot >> OFFSET_SHIFT, slot >> COUNT_BITS & _KIND_MASK, slot & _COUNT_MASK
        length = {KIND_ARRAY: count * 2, KIND_BITS: count}.get(kind, count * 4)
        return kind, count, bytes(self._bytes[start * 2 : start * 2 + length])

    def __contains__(self, imei: int) -> bool:
        return finder(((self, True),))(imei) is True

    @property
    def inside(self) -> tuple[Callable[[int], int | None], memoryview, memoryview, memoryview]:
        """Where a TAC's page begins, the slots, and the containers as words and as octets."""
        return self._place.get, self._slots, self._words, self._bytes


def finder(sets: Sequence[tuple[ImeiSet, T]]) -> Callable[[int], T | None]:
    """A function that gives the value of the first set that an IMEI is in; None: it is in none.

    Why one closure over everything instead of a method of each set: it is what a checker does for every
    question, and looking names up would take as long as looking the IMEI up.
    """
    inside = tuple((*found.inside, value) for found, value in sets)

    def find(imei: int) -> T | None:
        tac = imei // SERIALS
        for page_of, slots, words, octets, value in inside:
            place = page_of(tac)
            if place is None:
                continue
            serial = imei % SERIALS
            slot = slots[place + (serial >> 16)]
            if not slot:
                continue
            start, low = slot >> OFFSET_SHIFT, serial & _LOW_MASK
            kind, count = slot >> COUNT_BITS & _KIND_MASK, slot & _COUNT_MASK
            if kind == KIND_BITS:
                byte = low >> 3
                if byte < count and octets[start * 2 + byte] >> (low & 7) & 1:
                    return value
                continue
            end = start + count
            if kind == KIND_ARRAY:
                at = bisect_left(words, low, start, end)
                if at < end and words[at] == low:
                    return value
                continue
            # runs: all first serials, then all last ones
            at = bisect_right(words, low, start, end) - 1
            if at >= start and low <= words[at + count]:
                return value
        return None

    return find


class Snapshot:
    """An open snapshot; answers a question by the documented order of decision.

    override, exact IMSI, IMSI range, IMEI, software version, range or TAC, default. An exception can only
    ever permit, so it is looked for where the lists alone would not permit: the answer is the same.
    """

    def __init__(self, header: Header, parts: Mapping[str, memoryview], mapped: mmap.mmap) -> None:
        self.header = header
        self.parts = parts
        self._mapped = mapped
        self._sets = tuple(ImeiSet(parts[f"{n}.pages"], parts[f"{n}.containers"]) for n in LISTS)
        numbers = {name: part.cast("Q") for name, part in parts.items() if not name.endswith(".containers")}
        self._range_first, self._range_last = numbers["ranges.first"], numbers["ranges.last"]
        self._range_status = numbers["ranges.status"]
        self._version_key, self._version_status = numbers["versions.key"], numbers["versions.status"]
        self._pair_imei, self._pair_start = numbers["pairs.imei"], numbers["pairs.start"]
        self._pair_imsi = numbers["pairs.imsi"]
        self._subscriber_first = numbers["subscribers.first"]
        self._subscriber_last = numbers["subscribers.last"]
        by_name = {status.value: status for status in EquipmentStatus}
        self._override = Answer(by_name[header.override], Reason.OVERRIDE) if header.override else None
        self._otherwise = Answer(by_name[header.otherwise], Reason.DEFAULT)
        self._malformed = Answer(by_name[header.malformed], Reason.MALFORMED)
        listed = (EquipmentStatus.BLOCKED, EquipmentStatus.TRACKED, EquipmentStatus.PERMITTED)
        self._listed = tuple(
            (found, Answer(s, Reason.IDENTITY)) for found, s in zip(self._sets, listed, strict=True)
        )
        # most countries publish one or two of the lists: an empty one costs no look-up
        self._find = finder(tuple(pair for pair in self._listed if len(pair[0])))
        self._members = tuple(
            (1 << place, finder(((found, True),))) for place, found in enumerate(self._sets) if len(found)
        )
        self._exempts = len(self._pair_imei) > 0 or len(self._subscriber_first) > 0
        self._lists_say_all = not len(self._version_key) and not len(self._range_first)
        self._ranged = tuple(Answer(s, Reason.RANGE) for s in _STATUSES)
        self._versioned = tuple(Answer(s, Reason.SOFTWARE_VERSION) for s in _STATUSES)
        self._paired = Answer(EquipmentStatus.PERMITTED, Reason.PAIRED)
        self._in_subscribers = Answer(EquipmentStatus.PERMITTED, Reason.SUBSCRIBER_RANGE)

    def verdict(self, imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
        """The answer to a question."""
        return self.answering()(imei, software_version, imsi)

    def answering(self) -> Verdict:
        """`verdict` over plain names: whoever asks for every attach of a network takes this one, once.

        Not kept here: it holds the snapshot, which would then never be given back by itself.
        """
        override = self._override
        if override is not None:
            return lambda _imei, _software_version, _imsi: override
        find, otherwise, malformed = self._find, self._otherwise, self._malformed
        lists_say_all, off_lists = self._lists_say_all, self.off_lists
        exempts, exception = self._exempts, self.exception
        permitted = EquipmentStatus.PERMITTED

        def verdict(imei: int | None, software_version: int | None, imsi: int | None) -> Answer:
            if imei is None:
                answer = malformed
            else:
                answer = find(imei) or (otherwise if lists_say_all else off_lists(imei, software_version))
            if exempts and imsi is not None and answer.status is not permitted:
                return exception(imei, imsi) or answer
            return answer

        return verdict

    def of_equipment(self, imei: int, software_version: int | None) -> Answer:
        """What the lists say of an identity, whoever uses it."""
        answer = self._find(imei)
        if answer is not None:
            return answer
        return self._otherwise if self._lists_say_all else self.off_lists(imei, software_version)

    def membership(self, imei: int) -> int:
        """The lists that carry the identity itself: bit 0 blocked, 1 tracked, 2 permitted."""
        return sum(bit for bit, find in self._members if find(imei))

    def answer_of(self, membership: int) -> Answer:
        """The answer of an identity on these lists (at least one): that of the first in precedence."""
        return next(answer for place, (_, answer) in enumerate(self._listed) if membership >> place & 1)

    def off_lists(self, imei: int, software_version: int | None) -> Answer:
        """What software versions, ranges and the default say of an identity that is on no list itself."""
        if software_version is not None and len(self._version_key):
            key = imei * 100 + software_version
            place = bisect_left(self._version_key, key)
            if place < len(self._version_key) and self._version_key[place] == key:
                return self._versioned[self._version_status[place]]
        place = bisect_right(self._range_first, imei) - 1
        if place >= 0 and imei <= self._range_last[place]:
            return self._ranged[self._range_status[place]]
        return self._otherwise

    def exception(self, imei: int | None, imsi: int) -> Answer | None:
        """The answer that a subscriber's exception gives; None: there is none."""
        if imei is not None and self.is_paired(imei, imsi):
            return self._paired
        place = bisect_right(self._subscriber_first, imsi) - 1
        if place >= 0 and imsi <= self._subscriber_last[place]:
            return self._in_subscribers
        return None

    def listed(self, name: str) -> ImeiSet:
        """The set of a list, by its name."""
        return self._sets[LISTS.index(name)]

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every pairing: IMEI, IMSI."""
        for place, imei in enumerate(self._pair_imei):
            for imsi in self._pair_imsi[self._pair_start[place] : self._pair_start[place + 1]]:
                yield imei, imsi

    def is_paired(self, imei: int, imsi: int) -> bool:
        """Whether the pairing is in the snapshot."""
        place = bisect_left(self._pair_imei, imei)
        if place == len(self._pair_imei) or self._pair_imei[place] != imei:
            return False
        end = self._pair_start[place + 1]
        found = bisect_left(self._pair_imsi, imsi, self._pair_start[place], end)
        return found < end and self._pair_imsi[found] == imsi


def open_snapshot(
    path: Path, keys: Mapping[str, Ed25519PublicKey], now: datetime, *, or_expired: bool = False
) -> Snapshot:
    """Map a snapshot whose signature is good and whose time is not over.

    The signature covers the fingerprints of all parts; `verify_content` holds the parts against them, once,
    when a file arrives, so that a worker opens in milliseconds whatever its size.

    Args:
        path: of a file that nobody writes into from now on: what is cut off under a mapping ends a process.
        keys: trusted public keys by id.
        now: aware moment.
        or_expired: take one whose time is over: at a start there may be no other.

    Raises:
        SnapshotRefusedError: not a snapshot, unsigned, signed by a stranger, damaged, or expired.
    """
    with _opened(path) as file:
        header, start = _header(file, keys, now, or_expired)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Snapshot(header, _parts(memoryview(mapped), start, header), mapped)


def read_header(
    path: Path, keys: Mapping[str, Ed25519PublicKey], now: datetime, *, or_expired: bool = False
) -> Header:
    """What `open_snapshot` would find at the head of a file, without mapping it.

    Raises:
        SnapshotRefusedError: as there, but for parts that are missing or cut off.
    """
    with _opened(path) as file:
        return _header(file, keys, now, or_expired)[0]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except (OSError, ValueError) as error:
        raise SnapshotRefusedError(
            f"{path.name} cannot be opened.", "Check that it arrived whole."
        ) from error


def _header(
    file: BinaryIO, keys: Mapping[str, Ed25519PublicKey], now: datetime, or_expired: bool
) -> tuple[Header, int]:
    prefix = file.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        raise SnapshotRefusedError("The file is too short for a snapshot.", "Fetch it again.")
    magic, length = PREFIX.unpack(prefix)
    if magic != MAGIC or length > MOST_HEADER_BYTES:
        raise SnapshotRefusedError("The file is not a snapshot.", "Fetch it again.")
    text, signature = file.read(length), file.read(SIGNATURE_BYTES)
    if len(signature) < SIGNATURE_BYTES:
        raise SnapshotRefusedError("The file is cut off.", "Fetch it again.")
    try:
        header = Header.from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise SnapshotRefusedError("The snapshot's header cannot be read.", "Fetch it again.") from error
    key = keys.get(header.key_id)
    if key is None:
        raise SnapshotRefusedError(
            f"No trusted key is called {header.key_id!r}.", "Add the register's public key."
        )
    try:
        key.verify(signature, prefix + text)
    except InvalidSignature as error:
        raise SnapshotRefusedError(
            "The snapshot's signature is wrong.", "Do not use it; tell the register."
        ) from error
    if datetime.fromisoformat(header.expires_at) <= now and not or_expired:
        raise SnapshotExpiredError(f"The snapshot expired at {header.expires_at}.", header.sequence)
    return header, aligned(PREFIX.size + length + SIGNATURE_BYTES)


def _parts(view: memoryview, start: int, header: Header) -> dict[str, memoryview]:
    parts = {}
    for name, unit in _UNITS.items():
        section = header.section(name)
        begin, end = start + section.offset, start + section.offset + section.length
        if end > len(view):
            raise SnapshotRefusedError(f"The part {name!r} is cut off.", "Fetch the snapshot again.")
        if section.length % unit:
            raise _misfit(name)
        parts[name] = view[begin:end]
    for one, other in _EQUALLY_LONG:
        if len(parts[one]) != len(parts[other]):
            raise _misfit(other)
    if len(parts["pairs.start"]) != len(parts["pairs.imei"]) + 8:
        raise _misfit("pairs.start")
    return parts


def _misfit(name: str) -> SnapshotRefusedError:
    return SnapshotRefusedError(
        f"The part {name!r} has a length that it cannot have.", "Tell the register: it wrote a bad snapshot."
    )


_UNITS: Mapping[str, int] = {
    **{f"{name}.pages": 8 * (SLOTS + 1) for name in LISTS},
    **{f"{name}.containers": 2 for name in LISTS},
    **dict.fromkeys(("ranges.first", "ranges.last", "ranges.status", "versions.key", "versions.status"), 8),
    **dict.fromkeys(("pairs.imei", "pairs.start", "pairs.imsi", "subscribers.first", "subscribers.last"), 8),
}
"""The parts that a snapshot must have; the length of each is a multiple of so many octets."""

_EQUALLY_LONG = (
    ("ranges.first", "ranges.last"),
    ("ranges.first", "ranges.status"),
    ("versions.key", "versions.status"),
    ("subscribers.first", "subscribers.last"),
)
