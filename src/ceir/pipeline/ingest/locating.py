"""Sightings: location events kept row by row, by month."""

from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.quarantining import save_quarantine
from ceir.pipeline.ingest.work import Stored, Work, malformed_sql


def store(work: Work) -> Stored:
    """Stage the file's distinct events, a file a month."""
    engine, names = work.engine, ", ".join(f.name for f in work.source.fields)
    with work.progress.step(f"Reading {work.opened.name}", float(work.opened.lines - 1)) as step:
        engine.table(
            "compact",
            f"SELECT {names}, fault, min(imei_text) AS imei_text, count(*) AS n, "
            "CAST(floor(started_at / 86400) AS INTEGER) AS first_day, "
            "CAST(floor(started_at / 86400) AS INTEGER) AS last_day, "
            "CAST(strftime(make_timestamp(started_at * 1000000), '%Y%m') AS INTEGER) AS month "
            f"FROM ({work.parser.rows_sql}) GROUP BY ALL",
            step,
            float(work.opened.lines - 1),
        )
    faulty = work.number("SELECT sum(n) FROM compact WHERE fault IS NOT NULL")
    engine.execute("DELETE FROM compact WHERE fault IS NOT NULL")
    rows, kept = (int(str(v or 0)) for v in engine.rows("SELECT sum(n), count(*) FROM compact")[0])
    months = tuple(int(str(m)) for (m,) in engine.rows("SELECT DISTINCT month FROM compact ORDER BY month"))
    data = tuple(
        work.save(
            f"SELECT '{work.operator}' AS operator, {names} FROM compact WHERE month = {month} "
            "ORDER BY imei, started_at, imsi, cell",
            f"{month}.parquet",
        )
        for month in months
    )
    malformed = work.number("SELECT count(*) FROM compact WHERE imei < 0")
    return Stored(
        counts=Counts(read=rows + faulty, kept=kept, folded=rows - kept, quarantined=faulty, stored=kept),
        files={
            "data": data,
            "malformed": (work.save(malformed_sql("compact", ("imei",)), "malformed.parquet"),)
            if malformed
            else (),
            "quarantine": save_quarantine(work, faulty),
        },
        measured={},
        months=months,
    )
