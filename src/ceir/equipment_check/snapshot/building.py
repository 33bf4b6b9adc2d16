"""Building a snapshot: sorted identities in, one signed file out, in bounded memory."""

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check.snapshot.format import (
    KIND_ARRAY,
    KIND_BITS,
    KIND_RUNS,
    KIND_SHIFT,
    LISTS,
    MAGIC,
    OFFSET_SHIFT,
    PREFIX,
    SERIALS,
    SIGNATURE_BYTES,
    SLOTS,
    Header,
    Section,
    SnapshotRefusedError,
    StatusName,
    aligned,
)

Numbers = npt.NDArray[np.uint64]
STATUS_CODES: Mapping[str, int] = {"permitted": 0, "tracked": 1, "blocked": 2, "unknown": 3}


@dataclass(frozen=True)
class SnapshotContent:
    """What a snapshot is made of.

    Args:
        identities: for each list, IMEIs (14 digits as numbers) in chunks that together are sorted and have
            no repetition.
        ranges: (first, last, status) of IMEIs, both ends included; they must not overlap.
        versions: (imei, software version, status).
        pairs: (imei, imsi) that may be used although the identity is blocked, sorted; IMSIs with a 1 before
            their digits.
        subscribers: (first, last) of IMSIs that may use anything.
    """

    identities: Mapping[str, Iterable[Numbers]]
    ranges: Iterable[tuple[int, int, StatusName]] = ()
    versions: Iterable[tuple[int, int, StatusName]] = ()
    pairs: Iterable[tuple[Numbers, Numbers]] = ()
    subscribers: Iterable[tuple[int, int]] = field(default=())


def build_snapshot(content: SnapshotContent, header: Header, key: Ed25519PrivateKey, target: Path) -> Header:
    """Write a signed snapshot; the file appears whole or not at all.

    Args:
        header: without sections and counts, which are found here.

    Returns: the header as written.

    Raises:
        SnapshotRefusedError: identities out of order, ranges that overlap: the checker would answer wrongly.
    """
    fresh = target.with_name(f".{target.name}.new")
    with TemporaryFile(dir=target.parent) as body:
        sections: list[Section] = []
        counts: dict[str, int] = {}
        for name in LISTS:
            pages, containers, counts[name] = _pack(content.identities.get(name, ()), name)
            sections.append(_add(body, f"{name}.pages", pages))
            sections.append(_add(body, f"{name}.containers", containers))
        for part, array in _small_parts(content, counts):
            sections.append(_add(body, part, [array.tobytes()]))
        whole = replace(header, sections=tuple(sections), counts=counts)
        text = json.dumps(whole.to_json(), sort_keys=True, separators=(",", ":")).encode("utf-8")
        signed = PREFIX.pack(MAGIC, len(text)) + text
        with fresh.open("wb") as file:
            file.write(signed)
            file.write(key.sign(signed))
            file.write(b"\0" * (aligned(len(signed) + SIGNATURE_BYTES) - len(signed) - SIGNATURE_BYTES))
            body.seek(0)
            while chunk := body.read(1 << 20):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(target)
    return whole


def _add(body: IO[bytes], name: str, parts: Iterable[bytes]) -> Section:
    start = aligned(body.tell())
    body.write(b"\0" * (start - body.tell()))
    digest, length = hashlib.sha256(), 0
    for part in parts:
        body.write(part)
        digest.update(part)
        length += len(part)
    return Section(name, start, length, digest.hexdigest())


def _pack(chunks: Iterable[Numbers], name: str) -> tuple[list[bytes], list[bytes], int]:
    """Pages and containers of a set: TACs and slots of each page; then the containers one after another."""
    tacs: list[int] = []
    slots: list[Numbers] = []
    containers: list[bytes] = []
    offset, count = 0, 0
    for tac, serials in _by_tac(chunks, name):
        page = np.zeros(SLOTS, dtype=np.uint64)
        highs = serials >> 16
        edges = np.searchsorted(highs, np.arange(SLOTS + 1))
        for slot in range(SLOTS):
            lows = (serials[edges[slot] : edges[slot + 1]] & 0xFFFF).astype(np.uint16)
            if lows.size:
                kind, elements, data = _container(lows)
                page[slot] = offset << OFFSET_SHIFT | kind << KIND_SHIFT | elements
                containers.append(data)
                offset += len(data) // 2
        tacs.append(tac)
        slots.append(page)
        count += serials.size
    directory = [np.array(tacs, dtype=np.uint64).tobytes(), *(page.tobytes() for page in slots)]
    return directory, containers, count


def _container(lows: npt.NDArray[np.uint16]) -> tuple[int, int, bytes]:
    """The smallest of the three forms of a container: kind, elements and bytes."""
    breaks = np.flatnonzero(np.diff(lows.astype(np.int32)) != 1)
    runs = breaks.size + 1
    reach = aligned_pair(int(lows[-1]) // 8 + 1)
    sizes = {KIND_RUNS: runs * 4, KIND_ARRAY: lows.size * 2, KIND_BITS: reach}
    kind = min(sizes, key=lambda k: (sizes[k], k))
    if kind == KIND_ARRAY:
        return kind, lows.size, lows.tobytes()
    if kind == KIND_RUNS:
        first = lows[np.concatenate(([0], breaks + 1))]
        last = lows[np.concatenate((breaks, [lows.size - 1]))]
        return kind, runs, first.tobytes() + last.tobytes()
    bits = np.zeros(reach * 8, dtype=np.uint8)
    bits[lows] = 1
    return kind, reach, np.packbits(bits, bitorder="little").tobytes()


def aligned_pair(length: int) -> int:
    """The next even number: containers lie on 16-bit units."""
    return length + length % 2


def _by_tac(chunks: Iterable[Numbers], name: str) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Each TAC with its serial numbers, from sorted chunks that may cut a TAC in two."""
    held_tac, held = -1, np.array([], dtype=np.int64)
    last = -1
    for chunk in chunks:
        numbers = chunk.astype(np.int64)
        if not numbers.size:
            continue
        if int(numbers[0]) <= last or np.any(np.diff(numbers) <= 0):
            raise SnapshotRefusedError(f"The {name} identities are not sorted or repeat.", "Sort them first.")
        last = int(numbers[-1])
        tacs, serials = np.divmod(numbers, SERIALS)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(tacs)) + 1, [numbers.size]))
        for begin, end in itertools.pairwise(starts):
            tac = int(tacs[begin])
            if tac != held_tac:
                if held.size:
                    yield held_tac, held
                held_tac, held = tac, serials[begin:end]
            else:
                held = np.concatenate((held, serials[begin:end]))
    if held.size:
        yield held_tac, held


def _small_parts(content: SnapshotContent, counts: dict[str, int]) -> Iterator[tuple[str, Numbers]]:
    ranges = sorted(content.ranges)
    for (_, end, _), (start, _, _) in itertools.pairwise(ranges):
        if start <= end:
            raise SnapshotRefusedError("Two ranges overlap.", "Merge them, or cut one.")
    counts["ranges"] = len(ranges)
    yield "ranges.first", np.array([r[0] for r in ranges], dtype=np.uint64)
    yield "ranges.last", np.array([r[1] for r in ranges], dtype=np.uint64)
    yield "ranges.status", np.array([STATUS_CODES[r[2]] for r in ranges], dtype=np.uint64)
    versions = sorted((imei * 100 + version, status) for imei, version, status in content.versions)
    counts["versions"] = len(versions)
    yield "versions.key", np.array([v[0] for v in versions], dtype=np.uint64)
    yield "versions.status", np.array([STATUS_CODES[v[1]] for v in versions], dtype=np.uint64)
    chunks = list(content.pairs)
    empty = np.array([], dtype=np.uint64)
    imeis = np.concatenate([c[0] for c in chunks]) if chunks else empty
    imsis = np.concatenate([c[1] for c in chunks]) if chunks else empty
    order = np.lexsort((imsis, imeis))
    imeis, imsis = imeis[order], imsis[order]
    unique, starts = np.unique(imeis, return_index=True)
    counts["pairs"] = int(imeis.size)
    yield "pairs.imei", unique.astype(np.uint64)
    yield "pairs.start", np.concatenate((starts, [imeis.size])).astype(np.uint64)
    yield "pairs.imsi", imsis.astype(np.uint64)
    subscribers = sorted(content.subscribers)
    counts["subscriber_ranges"] = len(subscribers)
    yield "subscribers.first", np.array([s[0] for s in subscribers], dtype=np.uint64)
    yield "subscribers.last", np.array([s[1] for s in subscribers], dtype=np.uint64)
