"""Measures the snapshot: bits per IMEI, opening, verifying, and a look-up from Python.

Run it with: uv run python benchmarks/eir/snapshot.py [IMEIS]     (100 million unless told)

The IMEIs are made up: TACs of very different sizes (Pareto), serial numbers that fill about half of the span
they reach, as batches of production do.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check.snapshot import (
    Header,
    open_snapshot,
    verify_content,
)
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot

NOW = datetime(2026, 11, 1, tzinfo=UTC)
IMEIS_PER_TAC = 2500
FILLED = 0.5
QUESTIONS = 200_000


def made_up(count: int, seed: int) -> tuple[npt.NDArray[np.int64], Iterator[npt.NDArray[np.uint64]], float]:
    """TACs, their IMEIs in order, and the fewest bits an IMEI of such a set can take."""
    generator = np.random.default_rng(seed)
    number = max(20, count // IMEIS_PER_TAC)
    tacs = np.sort(generator.choice(np.arange(10_000_000, 99_999_999), number, replace=False))
    weights = generator.pareto(1.1, number) + 1
    sizes = np.minimum((weights / weights.sum() * count * 1.15).astype(int) + 1, 490_000)
    spans = np.minimum(1_000_000, (sizes / FILLED).astype(int) + 50)

    def entropy(size: int, span: int) -> float:
        return (math.lgamma(span + 1) - math.lgamma(size + 1) - math.lgamma(span - size + 1)) / math.log(2)

    least = sum(entropy(int(s), int(w)) for s, w in zip(sizes, spans, strict=True)) / int(sizes.sum())

    def chunks() -> Iterator[npt.NDArray[np.uint64]]:
        for tac, size, span in zip(tacs, sizes, spans, strict=True):
            serials = np.sort(generator.choice(span, size=size, replace=False)).astype(np.uint64)
            yield serials + np.uint64(int(tac) * 1_000_000)

    return tacs, chunks(), least


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("imeis", type=int, nargs="?", default=100_000_000)
    count = parser.parse_args().imeis
    tacs, chunks, least = made_up(count, seed=1)
    key = Ed25519PrivateKey.generate()
    header = Header(
        "X", 1, "2026-10-31", "2027-01-01T00:00:00+00:00", "", "permitted", "unknown", None, "k", {}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "snapshot"
        start = time.process_time()
        written = build_snapshot(SnapshotContent({"blocked": chunks}), header, key, path).counts["blocked"]
        print(f"built {written:,} IMEIs in {time.process_time() - start:.1f} CPU s (making them up included)")
        print(f"{path.stat().st_size * 8 / written:.2f} bits each; the information limit is {least:.2f}")
        start = time.perf_counter()
        snapshot = open_snapshot(path, {"k": key.public_key()}, NOW)
        print(f"opened and signature verified in {(time.perf_counter() - start) * 1000:.1f} ms")
        start = time.perf_counter()
        verify_content(snapshot)
        print(f"every byte verified in {(time.perf_counter() - start) * 1000:.0f} ms")
        generator = np.random.default_rng(2)
        asked = generator.choice(tacs, QUESTIONS) * 1_000_000 + generator.integers(0, 200_000, QUESTIONS)
        questions = [int(imei) for imei in asked]
        start = time.process_time()
        for imei in questions:
            snapshot.verdict(imei, 1, None)
        print(
            f"a look-up takes {(time.process_time() - start) / QUESTIONS * 1e6:.2f} CPU µs, the loop included"
        )


if __name__ == "__main__":
    main()
