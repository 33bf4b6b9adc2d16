"""IMEIs made up as a country has them, snapshots of them, and questions about them.

TACs are of very different sizes (Pareto); serial numbers fill about half of the span they reach, as batches
of production do.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check import Question
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.snapshot import Header
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.delta import Delta, write_delta

IMEIS_PER_TAC = 2500
FILLED = 0.5
LARGEST = 490_000

KEY = Ed25519PrivateKey.from_private_bytes(b"benchmark key, in no use at all.")


@dataclass(frozen=True)
class Population:
    """Equipment by model.

    Args:
        tacs: sorted.
        sizes: IMEIs of each.
        spans: serial numbers that they reach.
        seed: which serial numbers they are.
    """

    tacs: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    seed: int

    @classmethod
    def made_up(cls, count: int, seed: int) -> "Population":
        """About so many IMEIs (within a thousandth), the same for the same seed."""
        generator = np.random.default_rng(seed)
        number = max(20, count // IMEIS_PER_TAC)
        tacs = np.sort(generator.choice(np.arange(10_000_000, 99_999_999), number, replace=False))
        weights = generator.pareto(1.1, number) + 1
        least, most = 0.0, 1e6
        for _ in range(60):
            scale = (least + most) / 2
            sizes = np.minimum((weights * scale).astype(np.int64) + 1, LARGEST)
            least, most = (scale, most) if sizes.sum() < count else (least, scale)
        spans = np.minimum(1_000_000, (sizes / FILLED).astype(np.int64) + 50)
        return cls(tacs, sizes, spans, seed)

    @property
    def count(self) -> int:
        """IMEIs."""
        return int(self.sizes.sum())

    @property
    def least_bits(self) -> float:
        """The fewest bits an IMEI can take in a set of this density: the information limit."""

        def entropy(size: int, span: int) -> float:
            return (math.lgamma(span + 1) - math.lgamma(size + 1) - math.lgamma(span - size + 1)) / math.log(
                2
            )

        return sum(entropy(int(s), int(w)) for s, w in zip(self.sizes, self.spans, strict=True)) / self.count

    def chunks(self) -> Iterator[npt.NDArray[np.uint64]]:
        """The IMEIs in order, a TAC at a time."""
        generator = np.random.default_rng(self.seed)
        for tac, size, span in zip(self.tacs, self.sizes, self.spans, strict=True):
            serials = np.sort(generator.choice(span, size=size, replace=False)).astype(np.uint64)
            yield serials + np.uint64(int(tac) * 1_000_000)

    def asked(self, count: int, seed: int) -> npt.NDArray[np.int64]:
        """IMEIs that networks ask about: models by their share, a quarter of the IMEIs in the set."""
        generator = np.random.default_rng(seed)
        places = generator.choice(len(self.tacs), count, p=self.sizes / self.count)
        reach = np.minimum(1_000_000, self.spans[places] * 2)
        return self.tacs[places] * 1_000_000 + (generator.random(count) * reach).astype(np.int64)

    def questions(self, count: int, seed: int) -> list[Question]:
        """The same as an MME asks: with software version and subscriber."""
        generator = np.random.default_rng(seed + 1)
        versions = generator.integers(0, 100, count)
        subscribers = generator.integers(0, 10**10, count)
        return [
            Question(int(imei), int(version), int(f"100101{subscriber:010}"))
            for imei, version, subscriber in zip(self.asked(count, seed), versions, subscribers, strict=True)
        ]


def write_snapshot(population: Population, path: Path, sequence: int) -> Header:
    """A signed snapshot in which the population is blocked and all else permitted; it appears whole."""
    now = datetime.now(UTC)
    header = Header(
        country="Examplia",
        sequence=sequence,
        as_of=(now - timedelta(days=1)).date().isoformat(),
        expires_at=(now + timedelta(days=30)).isoformat(),
        operator="",
        otherwise="permitted",
        malformed="unknown",
        override=None,
        key_id=key_id(KEY.public_key()),
        counts={},
    )
    fresh = path.with_name(f".{path.name}.making")
    made = build_snapshot(SnapshotContent({"blocked": population.chunks()}), header, KEY, fresh)
    fresh.rename(path)
    return made


def write_changes(population: Population, path: Path, base: int, count: int) -> None:
    """A signed delta: so many IMEIs become blocked; with the next one the same cease to be."""
    now = datetime.now(UTC)
    imeis = np.unique(population.asked(count * 2, seed=7))
    chosen = tuple(int(imei) for imei in np.random.default_rng(7).permutation(imeis)[:count])
    delta = Delta(
        base=base,
        sequence=base + 1,
        as_of=now.date().isoformat(),
        expires_at=(now + timedelta(days=30)).isoformat(),
        key_id=key_id(KEY.public_key()),
        **{"added" if base % 2 else "removed": {"blocked": chosen}},  # type: ignore[arg-type]
    )
    fresh = path.with_name(f".{path.name}.making")
    write_delta(delta, KEY, fresh)
    fresh.rename(path)
