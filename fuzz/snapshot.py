"""Puts hostile snapshots and deltas where a checker looks for new ones, for as long as told.

    python fuzz/snapshot.py [--seconds 600] [--seed 1] [--corpus FOLDER] [--keep FOLDER]

An input is an octet that says what is done to it (is it a delta; is it signed again with the register's own
key; are the fingerprints of its parts made to fit first) and a file. What must hold for every one: looking
never raises; what nobody signed is refused; after a refusal every answer is what it was before; what is put
in force answers every question; memory does not grow.
"""

import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from octets import BrokenPromiseError, Damage, Target, damaged, run

from ceir.equipment_check import Answer
from ceir.equipment_check.holder import SnapshotHolder
from ceir.equipment_check.shelf import SnapshotShelf
from ceir.equipment_check.snapshot import Header, open_snapshot
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.delta import Delta, write_delta
from ceir.equipment_check.snapshot.format import PREFIX, SIGNATURE_BYTES, aligned

DELTA, SIGN, FIT = 4, 1, 2
NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
KEYS = {"register": KEY.public_key()}
_LATER, _EARLIER = "2026-12-01T00:00:00+00:00", "2026-10-01T00:00:00+00:00"
_TAC = 35_675904_000000
_IMSI = 1_001010123456789
PROBES = [
    (imei, version, imsi)
    for imei in (None, 0, *range(_TAC, _TAC + 12), _TAC + 65_536, _TAC + 70_000, _TAC + 200_000, 10**14 - 1)
    for version, imsi in ((None, None), (7, _IMSI), (99, _IMSI + 1))
]
_ODD: list[Any] = [
    *(None, True, False, -1, 0, 1, 1.5, 1e308, float("inf"), float("nan"), 2**31, 2**63, 2**64, 10**400),
    *("", "x", "register", "blocked", "2026-13-01", "2026-12-01", "2026-12-01T00:00:00", "A" * 70_000),
    *("9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "\ud800", [], {}, [[]], [[1]], [[1, 2, 3]]),
    *([1, "2", None], {"blocked": [1.5]}, {"blocked": [[]]}, {"blocked": [-1, 2**70]}, {"x": []}),
]
_WORDS = (
    *(b"CEIRSNP1", b"CEIRDLT1", b"\xff" * 8, b"\0" * 8, b"\0\0\0\x80", b"[" * 50_000, b'{"a":' * 50_000),
    *(b"null", b"1e999", b"-1", b'""', b"[]", b"{}", b"NaN", b'"sections":[],', b'"sequence":7,'),
)


def _header(sequence: int, **changes: object) -> Header:
    told: dict[str, Any] = {
        "country": "Examplia",
        "sequence": sequence,
        "as_of": "2026-10-31",
        "expires_at": _LATER,
        "operator": "",
        "otherwise": "unknown",
        "malformed": "tracked",
        "override": None,
        "key_id": "register",
        "counts": {},
    }
    return Header(**(told | changes))


def _numbers(*imeis: int) -> Iterator[Any]:
    yield np.array(sorted(imeis), dtype=np.uint64)


def _content(first: int) -> SnapshotContent:
    scattered = [_TAC + n for n in range(first, 60, 7)]  # numbers
    run_of = range(_TAC + 65_536, _TAC + 65_900)  # a run
    dense = [_TAC + 131_072 + n for n in range(3000) if n % 3]  # bits
    return SnapshotContent(
        {
            "blocked": _numbers(*scattered, *run_of),
            "tracked": _numbers(*dense),
            "permitted": _numbers(_TAC + 9),
        },
        ranges=[(_TAC + 200_000, _TAC + 300_000, "blocked"), (10**13, 10**13 + 9, "tracked")],
        versions=[(_TAC + 5, 7, "blocked")],
        pairs=[
            (np.array([_TAC + first] * 2, dtype=np.uint64), np.array([_IMSI, _IMSI + 5], dtype=np.uint64))
        ],
        subscribers=[(_IMSI + 1, _IMSI + 2)],
    )


def _delta(base: int, expires_at: str = _LATER, key_id: str = "register") -> Delta:
    return Delta(
        base,
        base + 1,
        "2026-10-31",
        expires_at,
        key_id,
        added={"blocked": (_TAC + 3,), "permitted": (_TAC + 4,)},
        removed={"blocked": (_TAC,), "tracked": ()},
        paired=((_TAC + 7, _IMSI),),
        unpaired=((_TAC, _IMSI),),
    )


def _seeds(folder: Path) -> list[bytes]:
    made: list[bytes] = []
    file = folder / "seed"
    whole = [
        (_header(6), KEY),
        (_header(6, override="blocked", extra={"override_because": "a test"}), KEY),
        (_header(5), KEY),
        (_header(7, expires_at=_EARLIER), KEY),
        (_header(8, country="Elsewhere"), KEY),
        (_header(9), STRANGER),
        (_header(10, key_id="nobody"), KEY),
    ]
    for header, key in whole:
        build_snapshot(_content(1), header, key, file)
        made.append(bytes((0,)) + file.read_bytes())
    made.append(made[0][:-8] + bytes(8))  # the last number of the last part, changed after signing
    build_snapshot(SnapshotContent({}), _header(11), KEY, file)
    made.append(bytes((0,)) + file.read_bytes())
    for delta, key in [
        (_delta(5), KEY),
        (_delta(6), KEY),
        (_delta(5, _EARLIER), KEY),
        (_delta(5), STRANGER),
        (_delta(5, key_id="nobody"), KEY),
    ]:
        write_delta(delta, key, file)
        made.append(bytes((DELTA,)) + file.read_bytes())
    return made


class Thrower:
    """A checker with a snapshot in force, and a folder in which each input arrives."""

    def __init__(self) -> None:
        # In memory where that can be had: each input is a file.
        memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
        self._held = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        folder = Path(self._held.name)
        build_snapshot(_content(0), _header(5), KEY, folder / "base")
        self._base = open_snapshot(folder / "base", KEYS, NOW)
        self.seeds = _seeds(folder)
        self._before = self._answers(SnapshotHolder(KEYS, self._base, NOW))
        self._place = folder / "arriving"
        self._place.mkdir()
        self._genuine: dict[bytes, list[Answer]] = {}
        for seed in self.seeds:
            self._arrived(seed[0], seed[1:], genuine=True)

    def __call__(self, octets: bytes) -> None:
        """Raises only when there is a mistake in the readers."""
        if not octets:
            return
        how, content = octets[0], octets[1:]
        if how & SIGN:
            content = signed_again(content, delta=bool(how & DELTA), fit=bool(how & FIT))
        self._arrived(how, content, genuine=False)

    def _arrived(self, how: int, content: bytes, *, genuine: bool) -> None:
        file = self._place / f"arrived{'.delta' if how & DELTA else '.snapshot'}"
        file.write_bytes(content)
        try:
            holder = SnapshotHolder(KEYS, self._base, NOW)
            arrivals = SnapshotShelf(self._place, KEYS).look(holder, NOW)
        finally:
            # A new file each time: what is mapped must not change under a checker.
            file.unlink()
        in_force = any(arrival.what == "in_force" for arrival in arrivals)
        if in_force != (holder.sequence != 5):
            raise BrokenPromiseError("what is told of the file is not what was done")
        answers = self._answers(holder)
        if not in_force and answers != self._before:
            raise BrokenPromiseError("a refused file changed an answer")
        signed = _signed(content, delta=bool(how & DELTA))
        if in_force and genuine:
            self._genuine[signed] = answers
        # Octets between and behind the parts are nobody's; all others are signed, or their fingerprint is.
        if in_force and not how & SIGN and self._genuine.get(signed) != answers:
            raise BrokenPromiseError("a file that nobody signed is in force")
        _ = holder.as_of, holder.expires_at, holder.age(NOW), holder.header

    def _answers(self, holder: SnapshotHolder) -> list[Answer]:
        answers = [holder.verdict(*probe) for probe in PROBES]
        if not all(isinstance(answer, Answer) for answer in answers):
            raise BrokenPromiseError("something else than an answer is given")
        return answers


def _signed(content: bytes, *, delta: bool) -> bytes:
    if delta or len(content) < PREFIX.size:
        return content
    return content[: PREFIX.size + PREFIX.unpack_from(content)[1] + SIGNATURE_BYTES]


def signed_again(content: bytes, *, delta: bool, fit: bool) -> bytes:
    """The file as the register would sign it, were it so mistaken as to write it.

    Args:
        fit: lengths and fingerprints are made to fit what lies in the file, as far as it can be read.
    """
    if len(content) < PREFIX.size + SIGNATURE_BYTES:
        return content
    magic, length = PREFIX.unpack_from(content)
    if delta:
        text = content[PREFIX.size : -SIGNATURE_BYTES]
        whole = PREFIX.pack(magic, len(text) if fit else length) + text
        return whole + KEY.sign(whole)
    end = PREFIX.size + length
    text, parts = content[PREFIX.size : end], content[aligned(end + SIGNATURE_BYTES) :]
    if fit:
        text = _fitting(text, parts)
        length = len(text)
    whole = PREFIX.pack(magic, length) + text
    return (whole + KEY.sign(whole)).ljust(aligned(len(whole) + SIGNATURE_BYTES), b"\0") + parts


def _fitting(text: bytes, parts: bytes) -> bytes:
    try:
        header = json.loads(text)
        for section in header["sections"]:
            part = parts[section["offset"] : section["offset"] + section["length"]]
            section["sha256"] = hashlib.sha256(part).hexdigest()
        return json.dumps(header, sort_keys=True, separators=(",", ":")).encode("utf-8")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, IndexError):
        return text


def damage(draw: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A file whose octets, or the values in whose header, are not as they were."""
    seed = draw.choice(seeds)
    how = (seed[0] & DELTA if seed else 0) | draw.choice((0, SIGN, SIGN | FIT, SIGN | FIT))
    if draw.random() < 0.5:
        return bytes((how,)) + damaged(draw, [one[1:] for one in (seed, draw.choice(seeds))], _WORDS)
    return bytes((how,)) + _with_odd_values(draw, seed[1:], delta=bool(how & DELTA))


def _with_odd_values(draw: random.Random, content: bytes, *, delta: bool) -> bytes:
    if len(content) < PREFIX.size + SIGNATURE_BYTES:
        return content
    magic, length = PREFIX.unpack_from(content)
    end = len(content) - SIGNATURE_BYTES if delta else PREFIX.size + length
    try:
        document = json.loads(content[PREFIX.size : end])
        for _ in range(draw.choice((1, 1, 2, 4))):
            _replace_one(draw, document)
        text = json.dumps(document).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return content
    rest = content[end:] if delta else content[aligned(end + SIGNATURE_BYTES) :]
    if delta:
        return PREFIX.pack(magic, len(text)) + text + rest
    start = PREFIX.pack(magic, len(text)) + text + b"\0" * SIGNATURE_BYTES
    return start.ljust(aligned(len(start)), b"\0") + rest


def _replace_one(draw: random.Random, document: Any) -> None:
    """One value somewhere in the document is another, or gone, or there twice."""
    at = document
    while isinstance(at, dict | list) and at:
        places = list(at) if isinstance(at, dict) else list(range(len(at)))
        place = draw.choice(places)
        inner = at[place]
        if isinstance(inner, dict | list) and inner and draw.random() < 0.7:
            at = inner
            continue
        kind = draw.randrange(5)
        if kind == 0:
            del at[place]
        elif kind == 1 and isinstance(inner, int):
            at[place] = inner + draw.choice((-8, -1, 1, 8, 1 << 20))
        elif kind == 2:
            at[place] = at[draw.choice(places)]
        else:
            at[place] = draw.choice(_ODD)
        return


def harness() -> tuple[Target, list[bytes], Damage]:
    """What is thrown at what."""
    thrower = Thrower()
    return thrower, thrower.seeds, damage


if __name__ == "__main__":
    sys.exit(run(__doc__ or "", *harness()))
