"""Random numbers without state: each is a function of the seed, a stream's name and an index.

The same number comes out whatever was drawn before, in whichever chunk and on whichever machine, so a
country can be made piece by piece. Only 64-bit integer arithmetic is used: logarithms and powers of
vectorised floating-point libraries differ in the last digit between processors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_U32 = np.uint64(32)


def mixed(values: Words) -> Words:
    """Each word scrambled, one to one (the output function of SplitMix64, Steele, Lea and Flood 2014)."""
    z = values + _STEP
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@lru_cache(maxsize=4096)
def _key(seed: int, stream: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest(), "big"))


@dataclass(frozen=True)
class Permutation:
    """A scrambling of the numbers 0 .. size-1 that can be undone, kept as a key and not as a table."""

    size: int
    key: int

    @cached_property
    def _rounds(self) -> list[tuple[np.uint64, np.uint64, np.uint64]]:
        """(odd factor, its inverse, added constant) of each round."""
        words = mixed(np.arange(6, dtype=np.uint64) + np.uint64(self.key))
        factors = [int(word) | 1 for word in words[:3]]
        modulus = 1 << self._bits
        return [
            (np.uint64(factor % modulus), np.uint64(pow(factor, -1, modulus)), np.uint64(int(word) % modulus))
            for factor, word in zip(factors, words[3:], strict=True)
        ]

    @cached_property
    def _bits(self) -> int:
        return max(2, (self.size - 1).bit_length())

    def _once(self, x: Words, *, back: bool) -> Words:
        mask = np.uint64((1 << self._bits) - 1)
        # Half the width or more, so that the shifted XOR is its own inverse.
        shift = np.uint64((self._bits + 1) // 2)
        if back:
            for _, inverse, added in reversed(self._rounds):
                x = x ^ (x >> shift)
                x = ((x - added) * inverse) & mask
            return x
        for factor, _, added in self._rounds:
            x = (x * factor + added) & mask
            x = x ^ (x >> shift)
        return x

    def _walk(self, values: Ints, *, back: bool) -> Ints:
        x = self._once(values.astype(np.uint64), back=back)
        outside = np.flatnonzero(x >= self.size)
        while outside.size:
            x[outside] = self._once(x[outside], back=back)
            outside = outside[x[outside] >= self.size]
        return x.astype(np.int64)

    def of(self, values: Ints) -> Ints:
        """The places of `values` (each 0 .. size-1)."""
        return self._walk(values, back=False)

    def undone(self, places: Ints) -> Ints:
        """The values whose places these are."""
        return self._walk(places, back=True)


@dataclass(frozen=True)
class Draws:
    """All random numbers of one seed."""

    seed: int

    def words(self, stream: str, index: Ints) -> Words:
        """One 64-bit word an index."""
        return mixed(mixed(index.astype(np.uint64) ^ _key(self.seed, stream)))

    def chance(self, stream: str, index: Ints, share: float) -> Flags:
        """True for about `share` (0..1) of the indexes."""
        return (self.words(stream, index) >> np.uint64(11)) < np.uint64(int(share * (1 << 53)))

    def below(self, stream: str, index: Ints, bound: int | Ints) -> Ints:
        """Evenly 0 .. bound-1; a bound below 1 counts as 1 and must be under 2**32."""
        top = np.maximum(bound, 1).astype(np.uint64)
        return (((self.words(stream, index) >> _U32) * top) >> _U32).astype(np.int64)

    def pick(self, stream: str, index: Ints, weights: Sequence[int]) -> Ints:
        """A position in `weights`, the more often the larger the weight (their sum under 2**32)."""
        ends = np.cumsum(np.asarray(weights, dtype=np.int64))
        return np.searchsorted(ends, self.below(stream, index, int(ends[-1])), side="right").astype(np.int64)

    def permutation(self, stream: str, size: int) -> Permutation:
        """A scrambling of 0 .. size-1."""
        return Permutation(size, int(_key(self.seed, stream)))


def tail_sizes(count: int, alpha: float, minimum: int) -> Ints:
    """`count` whole sizes whose tail falls as size ** -alpha, the largest first.

    They are the middle quantiles of a Pareto distribution, so their mean does not swing with the seed.
    """
    slope = -1 / Decimal(str(alpha))
    sizes = [int(minimum * ((2 * i + 1) / Decimal(2 * count)) ** slope) for i in range(count)]
    return np.asarray(sizes, dtype=np.int64)
