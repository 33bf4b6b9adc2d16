"""Observations: a day's rows folded into one row a month, with the days as bits."""

import math
from datetime import date

from ceir.clock import day_number
from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.quarantining import save_quarantine
from ceir.pipeline.ingest.work import Stored, Work, malformed_sql

HISTORY_DAYS = 30
"""A file's daily averages are compared with those of the last 30 days with data."""

FEWEST_ONES = 10
"""With fewer IMEIs that begin with 1 a lost zero cannot be told from a few fakes."""

DAY_ZERO = "DATE '1970-01-01'"


def store(work: Work) -> Stored:
    """Compact the file, measure what its checks need, and stage a file a month."""
    engine = work.engine
    total = float(work.opened.lines - 1)
    with work.progress.step(f"Reading {work.opened.name}", total) as step:
        engine.table(
            "compact",
            "SELECT CAST(year(d) * 100 + month(d) AS INTEGER) AS month, imei, imsi, msisdn, "
            "CAST(bit_or(1 << (day(d) - 1)) AS INTEGER) AS day_mask, CAST(coalesce(bit_or(rats), 0) AS "
            "INTEGER) AS rats, "
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
    days = _days(work) if rows else {}
    measured = _measure(work, days) if rows else {}
    months = tuple(int(str(m)) for (m,) in engine.rows("SELECT DISTINCT month FROM compact ORDER BY month"))
    with work.progress.step(f"Storing {work.opened.name}", float(len(months)), "months") as step:
        data = []
        for number, month in enumerate(months, 1):
            data.append(
                work.save(
                    f"SELECT month, '{work.operator}' AS operator, imei, imsi, msisdn, first_day, last_day, "
                    f"day_mask, rats FROM compact WHERE month = {month} ORDER BY imei, imsi, msisdn",
                    f"{month}.parquet",
                )
            )
            step.at(number)
    malformed = work.number("SELECT count(*) FROM compact WHERE imei < 0")
    return Stored(
        counts=Counts(read=rows + faulty, kept=kept, folded=rows - kept, quarantined=faulty, stored=stored),
        files={
            "data": tuple(data),
            "malformed": (work.save(malformed_sql("compact", ("imei",)), "malformed.parquet"),)
            if malformed
            else (),
            "quarantine": save_quarantine(work, faulty),
        },
        measured=measured,
        months=months,
        days=days,
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


def _measure(work: Work, days: dict[str, dict[int, int]]) -> dict[str, float | None]:
    """Shares over all rows that could be read, weighted from the compacted rows."""
    operator = work.policy.operator(work.operator or "")
    assert operator is not None
    valid_imsi = "(length(s) BETWEEN 14 AND 15)"
    unclean_imei, unclean_imsi = "coalesce(imei < 0, FALSE)", f"(s IS NOT NULL AND NOT {valid_imsi})"
    foreign_imsi = f"(s IS NOT NULL AND NOT ({_begins('s', work.policy.home_mccs)}))"
    foreign_msisdn = f"(t IS NOT NULL AND NOT ({_begins('t', work.policy.country.country_codes)}))"
    shares = {
        "null_imei": "imei IS NULL",
        "null_imsi": "imsi IS NULL",
        "null_msisdn": "msisdn IS NULL",
        "null_any": "imei IS NULL OR imsi IS NULL OR msisdn IS NULL",
        "unclean_imei": unclean_imei,
        "unclean_imsi": unclean_imsi,
        "unclean_any": f"{unclean_imei} OR {unclean_imsi}",
        "foreign_imsi": foreign_imsi,
        "foreign_msisdn": foreign_msisdn,
        "foreign_any": f"{foreign_imsi} OR {foreign_msisdn}",
        "other_operator_imsi": f"(s IS NOT NULL AND NOT ({_begins('s', operator.prefixes)}))",
    }
    summed = ", ".join(f"coalesce(sum(n) FILTER (WHERE {test}), 0)" for test in shares.values())
    row = work.engine.rows(
        f"SELECT sum(n), {summed}, sum(n) - sum(n_rat) FROM (SELECT *, "
        "substr(CAST(imsi AS VARCHAR), 2) AS s, substr(CAST(msisdn AS VARCHAR), 2) AS t FROM compact)"
    )[0]
    total = float(str(row[0]))
    measured: dict[str, float | None] = {
        name: float(str(value)) / total for name, value in zip(shares, row[1:-1], strict=True)
    }
    if any(f.name == "rats" and set(f.headers) & set(work.opened.header) for f in work.source.fields):
        measured["null_rat"] = float(str(row[-1])) / total
        # A row without technology also misses a column; the worse of both bounds the share of any null.
        measured["null_any"] = max(measured["null_any"] or 0.0, measured["null_rat"] or 0.0)
    return measured | _measure_zeros(work) | _measure_history(work, days)


def _begins(text: str, prefixes: tuple[str, ...]) -> str:
    return " OR ".join(f"starts_with({text}, '{prefix}')" for prefix in prefixes) or "FALSE"


def _measure_zeros(work: Work) -> dict[str, float | None]:
    state = work.catalogue.lists.get("tac")
    ones = "imei >= 10000000000000 AND imei < 20000000000000"
    one, zero = (
        int(str(v))
        for v in work.engine.rows(
            f"SELECT count(*) FILTER (WHERE {ones}), count(*) FILTER (WHERE imei >= 0 AND imei < "
            f"10000000000000) "
            "FROM (SELECT DISTINCT imei FROM compact)"
        )[0]
    )
    if one < FEWEST_ONES:
        return {}
    measured: dict[str, float | None] = {"leading_zero_ones": one / zero if zero else math.inf}
    if state is not None:
        tacs = str(work.workspace.path(state.path)).replace("'", "''")
        known = work.number(
            f"SELECT count(*) FROM (SELECT DISTINCT imei FROM compact WHERE {ones}) AS o "
            # a lost zero moves every digit one place: the first seven digits are the TAC's last seven
            f"SEMI JOIN read_parquet('{tacs}') AS t ON t.tac = o.imei // 10000000"
        )
        measured["leading_zero_tacs"] = known / one
    return measured


def _measure_history(work: Work, days: dict[str, dict[int, int]]) -> dict[str, float | None]:
    """The file's average distinct values a day against the last days with data before or beside it."""
    measured: dict[str, float | None] = {}
    for column, check in (("imei", "daily_imeis"), ("imsi", "daily_imsis"), ("msisdn", "daily_msisdns")):
        history: dict[int, int] = {}
        for ingest in work.catalogue.live:
            if ingest.source == work.source.name and ingest.operator == work.operator:
                for day, count in ingest.days.get(column, {}).items():
                    history[day] = history.get(day, 0) + count
        last = max(days[column], default=0)
        past = [history[day] for day in sorted(history) if day <= last][-HISTORY_DAYS:]
        if past and days[column]:
            average = sum(days[column].values()) / len(days[column])
            measured[check] = average / (sum(past) / len(past))
    return measured
