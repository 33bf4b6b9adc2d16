"""Observations: a day's rows folded into one row a month, with the days as bits."""

import math
from datetime import date
from pathlib import Path

from ceir.clock import day_number, day_of
from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.work import Read, Work, save_malformed, share
from ceir.sources.tac import SOURCE as TACS

HISTORY_DAYS = 30
"""A file's daily averages are compared with those of the last 30 days with data."""

FEWEST_ONES = 10
"""With fewer IMEIs that begin with 1 a lost zero cannot be told from a few fakes."""

DAY_ZERO = "DATE '1970-01-01'"
ALL_DAYS = (1 << 31) - 1


def read(work: Work) -> Read:
    """Compact the file into the table `compact`, and measure what its checks need."""
    engine = work.engine
    total = float(work.opened.text.lines - 1)
    with work.progress.step(f"Reading {work.opened.name}", total) as step:
        engine.table(
            "compact",
            "SELECT CAST(year(d) * 100 + month(d) AS INTEGER) AS month, imei, imsi, msisdn, "
            "CAST(bit_or(1 << (day(d) - 1)) AS INTEGER) AS day_mask, "
            "CAST(coalesce(bit_or(rats), 0) AS INTEGER) AS rats, "
            "min(seen_on) AS first_day, max(seen_on) AS last_day, "
            "CAST(count(*) AS BIGINT) AS n, CAST(count(rats) AS BIGINT) AS n_rat, "
            "min(imei_text) AS imei_text, max(imei_text) AS imei_text_high, fault "
            f"FROM (SELECT *, {DAY_ZERO} + seen_on AS d FROM ({work.parser.rows_sql})) "
            "GROUP BY fault, month, imei, imsi, msisdn",
            step,
            total,
        )
    faulty = work.number("SELECT sum(n) FROM compact WHERE fault IS NOT NULL")
    engine.execute("DELETE FROM compact WHERE fault IS NOT NULL")
    rows, kept, stored = (
        int(str(v or 0))
        for v in engine.rows("SELECT sum(n), sum(bit_count(day_mask)), count(*) FROM compact")[0]
    )
    assert not work.number("SELECT count(*) FROM compact WHERE imei_text <> imei_text_high"), "keys collide"
    days = _days(work)
    measured = _measure(work, rows) | _measure_zeros(work) | _measure_history(work, days)
    return Read(
        counts=Counts(read=rows + faulty, kept=kept, folded=rows - kept, quarantined=faulty, stored=stored),
        measured=measured
        | {"quarantined_share": share(faulty, rows + faulty), "days_outside": _days_outside(work)},
        months=tuple(
            int(str(m)) for (m,) in engine.rows("SELECT DISTINCT month FROM compact ORDER BY month")
        ),
        days=days,
    )


def save(work: Work, read: Read) -> dict[str, tuple[Path, ...]]:
    """Stage a file a month, sorted."""
    data: list[Path] = []
    with work.progress.step(f"Storing {work.opened.name}", float(len(read.months)), "months") as step:
        for month in read.months:
            data.append(
                work.save(
                    f"SELECT month, '{work.operator}' AS operator, imei, imsi, msisdn, first_day, last_day, "
                    f"day_mask, rats FROM compact WHERE month = {month} ORDER BY imei, imsi, msisdn",
                    f"{month}.parquet",
                )
            )
            step.at(len(data))
    return {"data": tuple(data), "malformed": save_malformed(work, "compact", ("imei",))}


def _days_outside(work: Work) -> int | None:
    """Kept rows of days that the file's name does not cover; None: it names none."""
    if work.named_days is None:
        return None
    first, last = (day_of(day) for day in work.named_days)
    low, high = first.year * 100 + first.month, last.year * 100 + last.month
    before, after = (1 << (first.day - 1)) - 1, ALL_DAYS & ~((1 << last.day) - 1)
    return work.number(
        f"SELECT sum(bit_count(CASE WHEN month < {low} OR month > {high} THEN day_mask ELSE day_mask & ("
        f"CASE WHEN month = {low} THEN {before} ELSE 0 END | "
        f"CASE WHEN month = {high} THEN {after} ELSE 0 END) END)) FROM compact"
    )


def _days(work: Work) -> dict[str, dict[int, int]]:
    """Distinct IMEIs, IMSIs and MSISDNs on each day of the file."""
    found: dict[str, dict[int, int]] = {}
    sums = ", ".join(f"sum((m >> {bit}) & 1)" for bit in range(31))
    for column in ("imei", "imsi", "msisdn"):
        counted: dict[int, int] = {}
        for month, *counts in work.engine.rows(
            f"SELECT month, {sums} FROM (SELECT month, {column}, bit_or(day_mask) AS m FROM compact "
            f"WHERE {column} IS NOT NULL GROUP BY month, {column}) GROUP BY month ORDER BY month"
        ):
            first = _first_day(int(str(month)))
            counted |= {first + bit: int(str(n)) for bit, n in enumerate(counts) if n}
        found[column] = counted
    return found


def _first_day(month: int) -> int:
    return day_number(date(month // 100, month % 100, 1))


def _measure(work: Work, rows: int) -> dict[str, float | None]:
    """Shares over all rows that could be read, weighted from the compacted rows."""
    if not rows:
        return {}
    operator = work.policy.operator(work.operator or "")
    assert operator is not None
    unclean_imei = "coalesce(imei < 0, FALSE)"
    unclean_imsi = "(s IS NOT NULL AND length(s) NOT BETWEEN 14 AND 15)"
    foreign_imsi = f"(s IS NOT NULL AND NOT ({_begins('s', work.policy.home_mccs)}))"
    foreign_msisdn = f"(t IS NOT NULL AND NOT ({_begins('t', work.policy.country.country_codes)}))"
    no_key = "(imei IS NULL OR imsi IS NULL OR msisdn IS NULL)"
    has_rat = "rats" in work.parser.present
    tests = {
        "null_imei": "imei IS NULL",
        "null_imsi": "imsi IS NULL",
        "null_msisdn": "msisdn IS NULL",
        "unclean_imei": unclean_imei,
        "unclean_imsi": unclean_imsi,
        "unclean_any": f"{unclean_imei} OR {unclean_imsi}",
        "foreign_imsi": foreign_imsi,
        "foreign_msisdn": foreign_msisdn,
        "foreign_any": f"{foreign_imsi} OR {foreign_msisdn}",
        "other_operator_imsi": f"(s IS NOT NULL AND NOT ({_begins('s', operator.prefixes)}))",
    }
    sums = {name: f"sum(n) FILTER (WHERE {test})" for name, test in tests.items()}
    # Only the technology differs among the rows folded into one.
    sums["null_any"] = f"sum(CASE WHEN {no_key} THEN n ELSE {'n - n_rat' if has_rat else '0'} END)"
    if has_rat:
        sums["null_rat"] = "sum(n - n_rat)"
    row = work.engine.rows(
        f"SELECT {', '.join(sums.values())} FROM (SELECT *, "
        "substr(CAST(imsi AS VARCHAR), 2) AS s, substr(CAST(msisdn AS VARCHAR), 2) AS t FROM compact)"
    )[0]
    return {name: int(str(value or 0)) / rows for name, value in zip(sums, row, strict=True)}


def _begins(text: str, prefixes: tuple[str, ...]) -> str:
    return " OR ".join(f"starts_with({text}, '{prefix}')" for prefix in prefixes) or "FALSE"


def _measure_zeros(work: Work) -> dict[str, float | None]:
    """Signs that a spreadsheet dropped leading zeros; without its zero a 14-digit IMEI is malformed."""
    state = work.catalogue.lists.get("tac")
    ones = "(imei BETWEEN 10000000000000 AND 19999999999999 OR starts_with(imei_text, '1'))"
    zeros = "(imei BETWEEN 0 AND 9999999999999 OR starts_with(imei_text, '0'))"
    one, zero = (
        int(str(v))
        for v in work.engine.rows(
            f"SELECT count(DISTINCT imei) FILTER (WHERE {ones}), count(DISTINCT imei) FILTER (WHERE {zeros}) "
            "FROM compact"
        )[0]
    )
    if one < FEWEST_ONES:
        return {}
    measured: dict[str, float | None] = {"leading_zero_ones": one / zero if zero else math.inf}
    if state is not None:
        work.engine.files("tacs", [work.workspace.path(state.path)], TACS.table.columns)
        # a lost zero moves every digit one place: the first seven digits are the TAC's last seven
        tac = "CASE WHEN imei >= 0 THEN imei // 10000000 ELSE TRY_CAST(substr(imei_text, 1, 7) AS BIGINT) END"
        known = work.number(
            f"SELECT count(DISTINCT imei) FROM (SELECT imei, {tac} AS tac FROM compact WHERE {ones}) AS o "
            "SEMI JOIN tacs ON tacs.tac = o.tac"
        )
        measured["leading_zero_tacs"] = known / one
    return measured


def _measure_history(work: Work, days: dict[str, dict[int, int]]) -> dict[str, float | None]:
    """The file's average distinct values a day against the last days with data before or beside it.

    A file without rows is held against them too: it says that on its days nobody used the network.
    """
    measured: dict[str, float | None] = {}
    last = max((day for counted in days.values() for day in counted), default=None)
    if last is None and work.named_days:
        last = work.named_days[1]
    for column, check in (("imei", "daily_imeis"), ("imsi", "daily_imsis"), ("msisdn", "daily_msisdns")):
        history: dict[int, int] = {}
        for ingest in work.catalogue.live:
            if ingest.source == work.source.name and ingest.operator == work.operator:
                for day, count in ingest.days.get(column, {}).items():
                    history[day] = history.get(day, 0) + count
        past = [history[day] for day in sorted(history) if last is None or day <= last][-HISTORY_DAYS:]
        if past:
            now = days[column].values()
            # one division of whole numbers: rounding twice could miss a limit that is met exactly
            measured[check] = sum(now) * len(past) / (max(len(now), 1) * sum(past))
    return measured
