"""Merging: many files of one month and operator folded into one, so that daily deliveries cost no more to
read.

The files stay: they are what an undo subtracts. A merged month is thrown away when one of its files is
undone, and made again when it pays.
"""

from ceir.pipeline.catalogue import Catalogue, Merged
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace
from ceir.tables.observations import TABLE as OBSERVATIONS

FEWEST_FILES = 4
"""A month of fewer loose files is read as it is."""

LOOSE_SHARE = 0.25
"""Loose files are merged in when they hold more than this share of the merged rows: a small file costs
little."""


def merge(workspace: Workspace, limits: Limits, progress: Progress = SILENT, *, force: bool = False) -> int:
    """Merge the months that are worth it; call it with the workspace locked.

    Args:
        force: every month of more than one file.

    Returns: how many months of an operator were merged.
    """
    catalogue = workspace.catalogue()
    due = _due(catalogue, force=force)
    if not due:
        return 0
    merged = list(catalogue.merged)
    with workspace.staging() as scratch, progress.step("Merging months", float(len(due)), "months") as step:
        engine = DuckEngine(Limits(scratch, limits.threads, limits.memory_gb))
        try:
            for number, ((month, operator), files) in enumerate(sorted(due.items()), 1):
                ids = tuple(sorted(files))
                engine.files("parts", [workspace.path(files[i]) for i in ids], OBSERVATIONS.columns)
                staged = scratch / f"{month}-{operator}.parquet"
                engine.save_file(_merged_sql(), staged)
                rows = int(str(engine.rows(f"SELECT count(*) FROM read_parquet('{staged}')")[0][0]))
                name = f"month={month}/operator={operator}/to-{ids[-1]:06d}-{catalogue.sequence:06d}.parquet"
                path = workspace.adopt(staged, f"lake/merged/{name}")
                merged = [m for m in merged if (m.month, m.operator) != (month, operator)]
                merged.append(Merged(path=path, month=month, operator=operator, ingests=ids, rows=rows))
                step.at(number)
        finally:
            engine.close()
        workspace.commit(catalogue.model_copy(update={"merged": tuple(merged)}))
    workspace.sweep()
    return len(due)


def _due(catalogue: Catalogue, *, force: bool) -> dict[tuple[int, str], dict[int, str]]:
    """Months to merge: for each (month, operator) its files by ingest."""
    files: dict[tuple[int, str], dict[int, str]] = {}
    rows: dict[tuple[int, str], dict[int, int]] = {}
    for ingest in catalogue.live:
        if ingest.source == "observations" and ingest.operator:
            for month, path in zip(ingest.months, ingest.files.get("data", ()), strict=True):
                key = (month, ingest.operator)
                files.setdefault(key, {})[ingest.id] = path
                # rows of a file of several months: spread evenly, this only weighs what to merge
                rows.setdefault(key, {})[ingest.id] = ingest.counts.stored // max(len(ingest.months), 1)
    merged = {(m.month, m.operator): m for m in catalogue.merged}
    due = {}
    for key, found in files.items():
        there = merged.get(key)
        loose = [i for i in found if there is None or i not in there.ingests]
        heavy = there is None or sum(rows[key][i] for i in loose) > LOOSE_SHARE * there.rows
        if loose and len(found) > 1 and (force or (len(loose) >= FEWEST_FILES and heavy)):
            due[key] = found
    return due


def _merged_sql() -> str:
    return (
        "SELECT month, operator, imei, imsi, msisdn, min(first_day) AS first_day, max(last_day) AS last_day, "
        "CAST(bit_or(day_mask) AS INTEGER) AS day_mask, CAST(bit_or(rats) AS INTEGER) AS rats "
        "FROM parts GROUP BY month, operator, imei, imsi, msisdn ORDER BY imei, imsi, msisdn"
    )
