"""Measures what all signals of clones cost: processor seconds and the most memory.

Run it with: uv run python benchmarks/clones/signals.py [OBSERVATIONS] [SIGHTINGS] [FINGERPRINTS]
(10 million of each unless told; 0 leaves one out; --memory-gb 8, --threads 2 and --shared 10 unless told)

Of the devices one in twelve changes hands once in the window, one in a hundred is used by two in turn, and
one in five hundred is a clone with two to nine subscribers; the rest have one subscriber. With `--shared 3`
one in nine changes hands, one in nine is used by two in turn, and one in nine by three at a time. Sightings
are spread over the same devices and 20,000 cells, two devices in five are registered as one with another.
Time is of the facts alone: files are made and read as a run has them, folded and sorted by identity.
"""

import argparse
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

from ceir.clock import day_number
from ceir.pipeline.classify.compiling import compile_policy
from ceir.pipeline.classify.inputs import equipment_sql, fold_sql
from ceir.pipeline.classify.running import evaluate
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.engines.engine import empty_select
from ceir.policy.loading import parse_policy
from ceir.sources import all_sources
from ceir.tables.malformed import TABLE as MALFORMED
from ceir.tables.observations import TABLE as OBSERVATIONS

LAST = date(2026, 10, 31)
DAYS = 30
CELLS = 20_000
MONTH = 202610
HEAD = """
name = "signals"
[country]
name = "Signalia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
"""
FROM_OBSERVATIONS = {
    "too_many_imsis": "threshold = 5, window_days = 30",
    "too_many_imsis_daily": "threshold = 2, min_seen_days = 5, window_days = 30",
    "too_many_persons": "threshold = 3, window_days = 30",
    "too_many_persons_daily": "threshold = 2, min_seen_days = 5, window_days = 30",
    "used_by_strangers": "window_days = 30",
    "parallel_subscribers": "window_days = 30",
    "steady_sharing": "window_days = 30",
    "alternating_subscribers": "window_days = 30",
    "split_technology": "window_days = 30",
    "resurrected": "window_days = 30, silent_days = 14",
    "used_after_scrapping": "window_days = 30",
}
FROM_SIGHTINGS = {
    "simultaneous_sessions": "window_days = 30",
    "impossible_journey": "window_days = 30",
    "separate_homes": "window_days = 30",
    "pair_never_together": "window_days = 30",
}
FROM_FINGERPRINTS = {
    "software_flip_flop": "window_days = 30",
    "fingerprint_disagreement": "window_days = 30",
}
# A device and its turn, from the number of a row: whose it is depends on the device and on the day.
USER = {
    10: "CASE WHEN device % 500 = 0 THEN hash(n) % (2 + device // 500 % 8) "
    "WHEN device % 100 = 1 THEN day % 2 "
    "WHEN device % 12 = 2 THEN CASE WHEN day < 15 THEN 0 ELSE 1 END ELSE 0 END",
    3: "CASE device % 9 WHEN 0 THEN hash(n) % 3 WHEN 1 THEN day % 2 "
    "WHEN 2 THEN CASE WHEN day < 15 THEN 0 ELSE 1 END ELSE 0 END",
}
"""By how many devices there are to one with several subscribers."""


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("observations", type=int, nargs="?", default=10_000_000)
    parser.add_argument("sightings", type=int, nargs="?", default=10_000_000)
    parser.add_argument("fingerprints", type=int, nargs="?", default=10_000_000)
    parser.add_argument("--shared", type=int, choices=sorted(USER), default=10)
    parser.add_argument("--memory-gb", type=float, default=8.0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        engine = DuckEngine(Limits(root / "scratch", args.threads, args.memory_gb))
        make(engine, root, args.observations, args.sightings, args.fingerprints, USER[args.shared])
        if args.observations:
            measure(engine, args.observations, "observations", FROM_OBSERVATIONS)
        if args.sightings:
            measure(engine, args.sightings, "sightings", FROM_SIGHTINGS)
        if args.fingerprints:
            measure(engine, args.fingerprints, "fingerprints", FROM_FINGERPRINTS)
        engine.close()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"most memory, making the rows included: {most:.1f} GB")


def make(
    engine: DuckEngine, root: Path, observations: int, sightings: int, fingerprints: int, user: str
) -> None:
    """Name all sources; a device has about 20 observations or sightings.

    Args:
        user: SQL of the number of the subscriber, from a device, a day and the number of a row.
    """
    sources = all_sources()
    rows = max(observations, sightings, fingerprints)
    devices = max(rows // 20, 1)
    day = day_number(LAST) - DAYS + 1
    drawn = f"SELECT n, n % {devices} AS device, n // {devices} % {DAYS} AS day FROM range({{rows}}) AS r(n)"
    identity = "35000000000000 + device"
    imsi = f"1111010000000000 + device * 16 + CAST({user} AS BIGINT)"
    engine.save_file(
        f"SELECT {MONTH} AS month, 'operator1' AS operator, imei, imsi, imsi - 900000000000000 AS msisdn, "
        f"min(seen) AS first_day, max(seen) AS last_day, CAST(bit_or(1 << (seen - {day} + 1)) AS INTEGER) AS "
        "day_mask, CAST(32 AS INTEGER) AS rats FROM (SELECT "
        f"CAST({identity} AS BIGINT) AS imei, {imsi} AS imsi, {day} + day AS seen "
        f"FROM ({drawn.format(rows=max(observations, devices))})) GROUP BY imei, imsi ORDER BY imei",
        root / "observations.parquet",
    )
    engine.files("observations", [root / "observations.parquet"], OBSERVATIONS.columns)
    began = f"({day} + day) * 86400 + hash(n + 1) % 86000"
    engine.save_file(
        f"SELECT 'operator1' AS operator, CAST({identity} AS BIGINT) AS imei, {imsi} AS imsi, "
        f"'cell-' || (device * 7 + hash(n) % 3 + CAST({user} AS BIGINT) * 991) % {CELLS} AS cell, "
        f"CAST({began} AS BIGINT) AS started_at, CAST({began} + hash(n + 2) % 400 AS BIGINT) AS ended_at "
        f"FROM ({drawn.format(rows=sightings)}) ORDER BY imei, started_at",
        root / "sightings.parquet",
    )
    engine.files("sightings", [root / "sightings.parquet"], sources["sightings"].table.columns)
    engine.save_file(
        f"SELECT 'operator1' AS operator, CAST({identity} AS BIGINT) AS imei, {imsi} AS imsi, "
        f"CAST({day} + day AS INTEGER) AS seen_on, CAST(day // 10 + hash(device) % 3 AS INTEGER) AS "
        f"software_version, 'c' || (device % 500 + CAST({user} AS BIGINT)) AS capability, "
        f"'a' || (hash(n) % 4) AS agent FROM ({drawn.format(rows=fingerprints)}) ORDER BY imei",
        root / "fingerprints.parquet",
    )
    engine.files("fingerprints", [root / "fingerprints.parquet"], sources["fingerprints"].table.columns)
    engine.table(
        "registrations",
        f"SELECT CAST(35000000000000 + device AS BIGINT) AS imei, CAST(NULL AS VARCHAR) AS status, "
        f"CASE WHEN device % 5 < 2 THEN 'D' || (device // 5) ELSE 'S' || device END AS device_id "
        f"FROM range({devices}) AS r(device)",
    )
    engine.table(
        "cells",
        "SELECT 'cell-' || n AS cell, CAST(10000000 + n // 200 * 40000 AS INTEGER) AS latitude, "
        "CAST(20000000 + n % 200 * 40000 AS INTEGER) AS longitude, CAST(3000 AS INTEGER) AS radius_m, "
        f"CAST(NULL AS VARCHAR) AS extra, CAST(0 AS INTEGER) AS since FROM range({CELLS}) AS r(n)",
    )
    engine.table(
        "subscribers",
        "SELECT 'P' || imsi AS uid, imsi, CAST(0 AS INTEGER) AS since FROM (SELECT DISTINCT imsi "
        "FROM observations)",
    )
    engine.table(
        "associations",
        "SELECT 'P' || min(imsi) AS uid, imei, CAST(0 AS INTEGER) AS since FROM observations GROUP BY imei",
    )
    for name in ("scrapped",):
        engine.view(name, empty_select(sources[name].table.columns))
    engine.files("malformed", [], MALFORMED.columns)
    engine.table("devices", fold_sql("observations"))


def measure(engine: DuckEngine, rows: int, source: str, rules: dict[str, str]) -> None:
    """Evaluate these rules together and print what it took."""
    conditions = "".join(
        f'[conditions.{rule}]\nall = [{{ rule = "{rule}", {parameters} }}]\nreason = "{rule}"\n'
        for rule, parameters in rules.items()
    )
    known = frozenset(
        {"sightings", "cells", "fingerprints", "registrations", "subscribers", "associations", "scrapped"}
    )
    compiled = compile_policy(parse_policy(HEAD + conditions, "here"), LAST, known)
    engine.view("equipment", equipment_sql("devices", compiled.listed))
    clock, processor = time.perf_counter(), time.process_time()
    evaluate(engine, compiled, None)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    matched = engine.rows("SELECT COUNT(*) FROM matched")[0][0]
    shared = f"SELECT imei FROM {source} GROUP BY imei HAVING MIN(imsi) <> MAX(imsi)"
    several = engine.rows(f"SELECT COUNT(*) FROM ({shared}) AS shared")[0][0]
    print(
        f"{rows:,} {source}, {len(rules)} rules: {processor:.1f} processor seconds, "
        f"{clock:.1f} by the clock; {several:,} identities with several subscribers, {matched:,} match"
    )


if __name__ == "__main__":
    main()
