"""What the harnesses share: octets damaged at random from a seed, and the run that throws them."""

import argparse
import random
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_INTERESTING = (0, 1, 2, 7, 8, 9, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)


class BrokenPromiseError(Exception):
    """Something that must always hold did not."""


def damaged(draw: random.Random, seeds: list[bytes]) -> Iterator[bytes]:
    """Seeds with octets changed, doubled, cut out and put together, without end."""
    while True:
        one = bytearray(draw.choice(seeds))
        for _ in range(draw.choice((0, 1, 1, 2, 3, 8))):
            at = draw.randrange(len(one)) if one else 0
            kind = draw.randrange(6)
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
                start = draw.randrange(len(other))
                one[at:at] = other[start : start + draw.randint(1, 60)]
            else:
                del one[at:]
        yield bytes(one)


def run(about: str, seeds: list[bytes], target: Callable[[bytes], None]) -> int:
    """Replay the corpus, then throw damaged seeds at `target` for as long as told; 1: something broke."""
    words = argparse.ArgumentParser(description=about)
    words.add_argument("--seconds", type=float, default=600)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--corpus", type=Path, help="a folder whose files are thrown first")
    words.add_argument("--keep", type=Path, help="a folder for the input that broke something")
    told = words.parse_args()
    corpus = sorted(told.corpus.iterdir()) if told.corpus and told.corpus.is_dir() else []
    count, begun, early = 0, time.monotonic(), 0
    stream = damaged(random.Random(told.seed), seeds)  # noqa: S311 - nothing secret is drawn
    octets = b""
    try:
        for file in corpus:
            octets = file.read_bytes()
            target(octets)
        while time.monotonic() - begun < told.seconds:
            for _ in range(256):
                octets = next(stream)
                target(octets)
            count += 256
            if count == 256 * 200:
                early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early if early else 0
        if grown > 16_384:
            raise BrokenPromiseError(f"memory grew by {grown} KiB")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        print(f"after {count}: {error!r}\n{octets.hex()}")
        if told.keep:
            told.keep.mkdir(parents=True, exist_ok=True)
            (told.keep / f"broken-{count}").write_bytes(octets)
        return 1
    print(f"{len(corpus)} files and {count} inputs: nothing broke, memory grew by {grown} KiB")
    return 0
