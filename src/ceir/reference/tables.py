from ceir.reference._markdown import RETENTION, codes, columns, head, join, whole
from ceir.tables import all_tables


def page() -> str:
    """Every table that crosses a package or a file: columns, grain, key and retention."""
    parts = [
        head(
            "Tables",
            "Parquet files of a workspace, for auditors and for whoever builds on a run. Days are numbers of "
            "days since 1970-01-01. The tables of sources are on [their page](sources.md).",
        )
    ]
    for table in all_tables().values():
        parts.append(
            join(
                f"## {table.name}",
                f"{table.doc} One row: {table.grain}. Unique together: {codes(table.key) or 'nothing'}. "
                f"Kept: {RETENTION[table.retention]}.",
                columns(table.columns),
            )
        )
    return whole(parts)
