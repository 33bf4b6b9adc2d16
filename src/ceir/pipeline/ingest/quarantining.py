"""Rows that cannot be read: kept apart with file, line, column and reason, for machines and for people."""

from collections.abc import Iterable
from pathlib import Path

from ceir.pipeline.ingest.listing import torn_sql
from ceir.pipeline.ingest.work import Read, Work

TORN = "contradicts another row of the same key"


def save_quarantine(work: Work, read: Read) -> tuple[Path, ...]:
    """Stage the rows set apart as Parquet and as CSV, by line; none gives no files.

    Why a second read of the file: only here are line numbers needed, and numbering would make the first
    read single-threaded.
    """
    if not read.counts.quarantined:
        return ()
    faults = work.parser.faults
    columns = _case((f.column for f in faults), _key_headers(work))
    reasons = _case((f.reason for f in faults), TORN)
    torn = f" OR {torn_sql(work.source, 'e')}" if read.torn else ""
    work.engine.table(
        "quarantined",
        f"SELECT {_quoted(work.opened.name)} AS file, CAST(line AS BIGINT) AS line, "
        f'{columns} AS "column", {reasons} AS reason, l AS text '
        f"FROM ({work.parser.numbered_sql}) AS e WHERE fault IS NOT NULL{torn}",
    )
    ordered = "SELECT * FROM quarantined ORDER BY line"
    parquet, csv = work.save(ordered, "quarantine.parquet"), work.scratch / "quarantine.csv"
    work.engine.execute(f"COPY ({ordered}) TO {_quoted(str(csv))} (FORMAT csv, HEADER)")
    return (parquet, csv)


def _case(texts: Iterable[str], otherwise: str) -> str:
    """What is said of a row by the number of its fault, and of one without."""
    branches = " ".join(f"WHEN {number} THEN {_quoted(text)}" for number, text in enumerate(texts, 1))
    return f"CASE fault {branches} ELSE {_quoted(otherwise)} END"


def _key_headers(work: Work) -> str:
    return ", ".join(f.headers[0] for name in work.source.key for f in work.source.fields if f.name == name)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def faulty_rows(work: Work, most: int = 3) -> tuple[str, ...]:
    """The first rows that cannot be read: line, column and reason, not what they say (it may be personal)."""
    found = work.engine.rows(
        f"SELECT line, fault FROM ({work.parser.numbered_sql}) WHERE fault IS NOT NULL ORDER BY line LIMIT "
        f"{most}"
    )
    faults = work.parser.faults
    return tuple(
        f"Line {line}, {faults[int(str(number)) - 1].column}: {faults[int(str(number)) - 1].reason}"
        for line, number in found
    )
