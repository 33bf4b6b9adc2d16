"""Rows that cannot be read: kept apart with file, line, column and reason, for machines and for people."""

from pathlib import Path

from ceir.pipeline.ingest.work import Work


def save_quarantine(work: Work, faulty: int) -> tuple[Path, ...]:
    """Write the rows with a fault as Parquet and as CSV.

    Args:
        faulty: how many there are; none gives no files.

    Why a second read of the file: only here are line numbers needed, and numbering would make the first
    read single-threaded.
    """
    if not faulty:
        return ()
    reasons = " ".join(
        f"WHEN {number} THEN '{fault.reason.replace(chr(39), chr(39) * 2)}'"
        for number, fault in enumerate(work.parser.faults, 1)
    )
    columns = " ".join(f"WHEN {n} THEN '{f.column}'" for n, f in enumerate(work.parser.faults, 1))
    name = work.opened.name.replace("'", "''")
    sql = (
        f"SELECT '{name}' AS file, CAST(line AS BIGINT) AS line, CASE fault {columns} END AS \"column\", "
        f"CASE fault {reasons} END AS reason, l AS text FROM ({work.parser.numbered_sql}) "
        "WHERE fault IS NOT NULL"
    )
    work.engine.table("quarantined", sql)
    return write_quarantine(work)


def write_quarantine(work: Work) -> tuple[Path, ...]:
    """Write the table `quarantined` as Parquet and as CSV, by line."""
    ordered = 'SELECT * FROM quarantined ORDER BY line, "column"'
    parquet = work.save(ordered, "quarantine.parquet")
    csv = work.scratch / "quarantine.csv"
    work.engine.execute(
        f"COPY ({ordered}) TO '{str(csv).replace(chr(39), chr(39) * 2)}' (FORMAT csv, HEADER)"
    )
    return (parquet, csv)
