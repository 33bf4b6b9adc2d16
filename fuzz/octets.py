"""What the harnesses share: octets damaged at random from a seed, and the run that throws them."""

import argparse
import hashlib
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_INTERESTING = (0, 1, 2, 7, 8, 9, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)
_MOST_GROWTH = 16_384
"""KiB by which the largest memory of the process may rise once it has warmed up."""

Damage = Callable[[random.Random, Sequence[bytes]], bytes]
Target = Callable[[bytes], None]


class BrokenPromiseError(Exception):
    """Something that must always hold did not."""


def damaged(draw: random.Random, seeds: Sequence[bytes], words: Sequence[bytes] = ()) -> bytes:
    """A seed with octets changed, doubled, cut out and put together.

    Args:
        words: what means something to the target and is put in now and then.
    """
    one = bytearray(draw.choice(seeds))
    for _ in range(draw.choice((0, 1, 1, 2, 3, 8))):
        at = draw.randrange(len(one)) if one else 0
        kind = draw.randrange(7 if words else 6)
        if kind == 0:
            one[at : at + 1] = bytes((draw.choice(_INTERESTING),))
        elif kind == 1:
            one[at : at + 1] = bytes((draw.randrange(256),))
        elif kind == 2:
            one[at:at] = draw.randbytes(draw.randint(1, 8))
        elif kind == 3:
            del one[at : at + draw.randint(1, 8)]
        elif kind == 4:
            other = draw.choice(seeds)
            start = draw.randrange(len(other)) if other else 0
            one[at:at] = other[start : start + draw.randint(1, 60)]
        elif kind == 5:
            del one[at:]
        else:
            one[at : at + draw.choice((0, 1, 4))] = draw.choice(words)
    return bytes(one)


Way = tuple[CodeType, int, int]


def ways_of(target: Target, octets: bytes) -> set[Way]:
    """The ways that an input takes through the product's code: lines executed one after the other."""
    found: set[Way] = set()
    last: dict[int, int] = {}

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            found.add((frame.f_code, last.get(id(frame), 0), frame.f_lineno))
            last[id(frame)] = frame.f_lineno
        return line

    def call(frame: FrameType, _event: str, _: Any) -> Any:
        if "/ceir/" not in frame.f_code.co_filename:
            return None
        last[id(frame)] = 0
        return line

    sys.settrace(call)
    try:
        target(octets)
    finally:
        sys.settrace(None)
    return found


def run(about: str, target: Target, seeds: Sequence[bytes], damage: Damage) -> int:
    """Replay the corpus, then throw damaged seeds at `target` for as long as told; 1: something broke.

    With `--grow`, inputs that take a new way through the product's code are seeds from then on, and are
    written to the corpus.
    """
    words = argparse.ArgumentParser(description=about, formatter_class=argparse.RawTextHelpFormatter)
    words.add_argument("--seconds", type=float, default=600)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--corpus", type=Path, help="a folder whose files are thrown first, and then damaged")
    words.add_argument("--grow", action="store_true", help="add to the corpus what takes a new way; slow")
    words.add_argument("--shrink", action="store_true", help="leave in the corpus only what every way needs")
    words.add_argument("--keep", type=Path, help="a folder for the input that broke something")
    told = words.parse_args()
    files = sorted(told.corpus.glob("*.bin")) if told.corpus and told.corpus.is_dir() else []
    corpus = [file.read_bytes() for file in files]
    thrown = _Thrown(target)
    try:
        for octets in (*seeds, *corpus):
            thrown(octets)
        if told.shrink:
            _shrink(thrown, seeds, told.corpus)
        elif told.grow:
            _grow(thrown, [*seeds, *corpus], damage, told)
        else:
            _throw(thrown, [*seeds, *corpus], damage, told)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        print(f"after {thrown.count}: {error!r}\n{thrown.octets.hex()}")
        if told.keep:
            told.keep.mkdir(parents=True, exist_ok=True)
            (told.keep / f"broke-{named(thrown.octets)}").write_bytes(thrown.octets)
        return 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(files)} files, {thrown.count:,} inputs: nothing broke, at most {peak} MiB")
    return 0


class _Thrown:
    def __init__(self, target: Target) -> None:
        self.count = 0
        self.octets = b""
        self.target = target

    def __call__(self, octets: bytes) -> None:
        self.octets = octets
        self.count += 1
        self.target(octets)


def _throw(thrown: _Thrown, seeds: list[bytes], damage: Damage, told: argparse.Namespace) -> None:
    draw = random.Random(told.seed)  # noqa: S311 - nothing secret is drawn
    begun, early = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < told.seconds:
        for _ in range(64):
            thrown(damage(draw, seeds))
        if not early and passed > told.seconds / 5:
            early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early if early else 0
    if grown > _MOST_GROWTH:
        raise BrokenPromiseError(f"memory grew by {grown} KiB")


def _grow(thrown: _Thrown, seeds: list[bytes], damage: Damage, told: argparse.Namespace) -> None:
    draw = random.Random(told.seed)  # noqa: S311 - nothing secret is drawn
    known: set[Way] = set()
    told.corpus.mkdir(parents=True, exist_ok=True)
    for octets in seeds:
        known |= ways_of(thrown, octets)
    begun = time.monotonic()
    while time.monotonic() - begun < told.seconds:
        octets = damage(draw, seeds)
        found = ways_of(thrown, octets)
        if not found <= known:
            known |= found
            seeds.append(octets)
            (told.corpus / named(octets)).write_bytes(octets)
    print(f"{len(known):,} ways known, {len(seeds)} seeds")


def named(octets: bytes) -> str:
    """What an input is called in a corpus."""
    return f"{hashlib.sha256(octets).hexdigest()[:12]}.bin"


def _shrink(thrown: _Thrown, seeds: Sequence[bytes], folder: Path) -> None:
    """What broke something once stays, whatever ways it takes now."""
    broke = [file.read_bytes() for file in folder.glob("broke-*.bin")]
    others = {file.read_bytes(): file for file in folder.glob("*.bin") if not file.name.startswith("broke-")}
    known: set[Way] = set()
    for octets in (*seeds, *broke):
        known |= ways_of(thrown, octets)
    left = [(octets, ways_of(thrown, octets) - known) for octets in sorted(others, key=lambda o: (len(o), o))]
    while left:
        octets, ways = max(left, key=lambda one: len(one[1]))
        if not ways:
            break
        others.pop(octets)
        left = [(one, more - ways) for one, more in left]
    for file in others.values():
        file.unlink()
