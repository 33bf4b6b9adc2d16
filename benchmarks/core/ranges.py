"""Measures what barred ranges cost a run that looks at all equipment: processor seconds of its facts.

Run it with: uv run python benchmarks/core/ranges.py [DEVICES] [RANGES]
(10 million and 100,000 unless told)

Devices are spread over 5,000 TACs of very different sizes. The ranges lie in four ways: of 900 identities in
few TACs, and in all of them; of one identity, all in the most popular TAC; as wide as they may be, one over
the other.
"""

import argparse
import resource
import tempfile
from datetime import date
from pathlib import Path

from ceir.pipeline.classify.compiling import compile_policy
from ceir.pipeline.classify.inputs import equipment_sql
from ceir.pipeline.classify.running import evaluate
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.policy.loading import parse_policy
from ceir.tables.devices import TABLE as DEVICES
from ceir.tables.malformed import TABLE as MALFORMED

DAY = date(2026, 11, 1)
TACS = 5_000
FIRST = "CAST(35000000000000 AS BIGINT)"
POLICY = """
name = "ranges"
[country]
name = "Ranges"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[conditions.barred]
all = [{ rule = "tac_barred" }]
reason = "Barred"
"""
RANGED = """
[conditions.ranged]
all = [{ rule = "imei_range_barred" }]
reason = "Barred range"
"""
SHAPES = {
    "in a twentieth of the TACs": (
        f"{FIRST} + (hash(n) % {TACS // 20}) * 20000000 + hash(n + 7) % 999000",
        900,
    ),
    "in all TACs": (f"{FIRST} + (hash(n) % {TACS}) * 1000000 + hash(n + 7) % 999000", 900),
    "of one identity, in the most popular TAC": (f"{FIRST} + n * 10 % 1000000", 0),
    "as wide as a TAC, one over the other": (f"{FIRST} + n * 10", 999_999),
}
"""First identity of the n-th range, and how far from it the last is."""


def main() -> None:
    """Measure each once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("devices", type=int, nargs="?", default=10_000_000)
    parser.add_argument("ranges", type=int, nargs="?", default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = DuckEngine(Limits(Path(folder)))
        nothing = ", ".join(
            f"CAST(NULL AS {c.type}) AS {c.name}"
            for c in DEVICES.columns
            if c.name not in ("imei", "first_day")
        )
        # the cube makes a few TACs large, as in a market
        tac = f"CAST(floor(pow(hash(n) / 18446744073709551616.0, 3) * {TACS}) AS BIGINT)"
        engine.table(
            "devices",
            f"SELECT DISTINCT {FIRST} + {tac} * 1000000 + CAST(hash(n + 1) % 1000000 AS BIGINT) AS imei, "
            f"CAST(20000 AS INTEGER) AS first_day, {nothing} FROM range({args.devices}) AS r(n)",
        )
        engine.files("malformed", [], MALFORMED.columns)
        tacs = "SELECT CAST(35000007 AS INTEGER) AS tac, CAST(20000 AS INTEGER) AS since"
        engine.table("barred_tacs", tacs)
        engine.view("equipment", equipment_sql("devices", ()))
        devices, largest = engine.rows(
            "SELECT sum(n), max(n) FROM (SELECT count(*) AS n FROM devices GROUP BY imei // 1000000)"
        )[0]
        print(f"{devices:,} devices, {largest:,} of them of the largest TAC; {args.ranges:,} ranges")
        without = _seconds(engine, POLICY)
        print(f"{'without the rule':45} {without:6.2f} s")
        for shape, (first, width) in SHAPES.items():
            engine.table(
                "barred_ranges",
                f"SELECT CAST({first} AS BIGINT) AS first_imei, CAST({first} + {width} AS BIGINT) "
                f"AS last_imei FROM range({args.ranges}) AS r(n)",
            )
            taken = _seconds(engine, POLICY + RANGED)
            (matched,) = engine.rows("SELECT count(*) FROM matched")[0]
            print(f"{shape:45} {taken:6.2f} s, {taken - without:.2f} s more; {matched:,} devices match")


def _seconds(engine: DuckEngine, policy: str) -> float:
    """Processor seconds, of all cores, that judging all equipment takes."""
    compiled = compile_policy(parse_policy(policy, "here"), DAY, frozenset({"barred-tacs", "barred-ranges"}))
    before = resource.getrusage(resource.RUSAGE_SELF)
    evaluate(engine, compiled, None)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
