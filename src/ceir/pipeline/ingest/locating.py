"""Sightings and fingerprints: events kept row by row, by month."""

from pathlib import Path

from ceir.pipeline.catalogue import Counts
from ceir.pipeline.ingest.work import Read, Work, save_malformed, share


def read(work: Work) -> Read:
    """Fold equal events into the table `compact`, and measure what its checks need."""
    engine, total = work.engine, float(work.opened.text.lines - 1)
    day = f"CAST({work.source.dated_by} // {work.source.units_a_day} AS INTEGER)"
    with work.progress.step(f"Reading {work.opened.name}", total) as step:
        engine.table(
            "compact",
            f"SELECT {_names(work)}, fault, min(imei_text) AS imei_text, count(*) AS n, day, "
            "CAST(year(d) * 100 + month(d) AS INTEGER) AS month "
            f"FROM (SELECT *, {day} AS day, DATE '1970-01-01' + {day} AS d FROM ({work.parser.rows_sql})) "
            "GROUP BY ALL",
            step,
            total,
        )
    faulty = work.number("SELECT sum(n) FROM compact WHERE fault IS NOT NULL")
    engine.execute("DELETE FROM compact WHERE fault IS NOT NULL")
    rows, kept = (int(str(v or 0)) for v in engine.rows("SELECT sum(n), count(*) FROM compact")[0])
    outside = None
    if work.named_days:
        first, last = work.named_days
        outside = work.number(f"SELECT count(*) FROM compact WHERE day NOT BETWEEN {first} AND {last}")
    return Read(
        counts=Counts(read=rows + faulty, kept=kept, folded=rows - kept, quarantined=faulty, stored=kept),
        measured={"quarantined_share": share(faulty, rows + faulty), "days_outside": outside},
        months=tuple(
            int(str(m)) for (m,) in engine.rows("SELECT DISTINCT month FROM compact ORDER BY month")
        ),
    )


def save(work: Work, read: Read) -> dict[str, tuple[Path, ...]]:
    """Stage the file's distinct events, a file a month."""
    data = tuple(
        work.save(
            f"SELECT '{work.operator}' AS operator, {_names(work)} FROM compact WHERE month = {month} "
            f"ORDER BY imei, {work.source.dated_by}, {_names(work)}",
            f"{month}.parquet",
        )
        for month in read.months
    )
    return {"data": data, "malformed": save_malformed(work, "compact", ("imei",))}


def _names(work: Work) -> str:
    return ", ".join(f.name for f in work.source.fields)
