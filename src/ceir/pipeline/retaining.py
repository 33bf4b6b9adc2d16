"""Retention: IMSIs and MSISDNs leave when their time is over, what is known of the equipment stays."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ceir.clock import months_before
from ceir.lists import all_lists
from ceir.pipeline.catalogue import Catalogue, Ingest, Run
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace, disk_errors
from ceir.sources import source_named
from ceir.tables.observations import TABLE as OBSERVATIONS


@dataclass(frozen=True)
class PruneReport:
    """What retention removed, or would remove.

    Args:
        months: months whose subscribers were dropped.
        files: observation files rewritten or sighting files deleted.
        rows: rows folded away because only the subscriber told them apart.
        publications: published runs whose lists that name subscribers were deleted.
        quarantines: quarantine files deleted: they hold rows verbatim.
        lists: superseded lists of subscribers deleted; their ingests can no longer be undone.
        claims: runs whose claims on copied identities were deleted.
    """

    months: tuple[int, ...]
    files: int
    rows: int
    publications: int
    quarantines: int
    lists: int
    claims: int = 0


def oldest_month_kept(as_of: date, months: int) -> int:
    """The oldest month (yyyymm) whose subscribers may be kept: whole months before the current one."""
    first = months_before(as_of.replace(day=1), months)
    return first.year * 100 + first.month


def prune(
    workspace: Workspace,
    as_of: date,
    limits: Limits,
    *,
    dry_run: bool = False,
    progress: Progress = SILENT,
) -> PruneReport:
    """Drop personal data older than the policy keeps it; call it with the workspace locked.

    Observations of older months are folded to one row per equipment without IMSI and MSISDN, sightings and
    quarantined rows of older files are deleted, and lists with personal data of older runs too. What the
    equipment did, verdicts and blocked lists stay. The next run looks at everything anew.

    Args:
        as_of: today.
        dry_run: only say what would be done.
    """
    policy, _ = workspace.policy()
    oldest = oldest_month_kept(as_of, policy.retention.subscriber_months)
    catalogue = workspace.catalogue()
    work = [(i, k) for i in catalogue.live for k, m in enumerate(i.months) if _due(i, m, oldest)]
    quarantines = [i for i in catalogue.ingests if "quarantine" in i.files and _month(i.received_on) < oldest]
    superseded = [i for i in catalogue.live if _superseded(catalogue, i) and _month(i.received_on) < oldest]
    runs = [r for r in catalogue.runs if r.publications and not r.stripped and _month(r.as_of) < oldest]
    claims = [
        r for r in catalogue.runs if r.claims and _month(r.as_of) < oldest and not _continued(catalogue, r)
    ]
    months = tuple(sorted({ingest.months[place] for ingest, place in work}))
    files, rows = len(work), 0
    if dry_run or not (work or quarantines or runs or superseded or claims):
        return PruneReport(months, files, 0, len(runs), len(quarantines), len(superseded), len(claims))
    with (
        workspace.staging() as scratch,
        progress.step("Dropping subscribers", float(max(files, 1)), "files") as step,
    ):
        engine = DuckEngine(Limits(scratch, limits.threads, limits.memory_gb))
        replaced: dict[int, Ingest] = {}
        try:
            for number, (ingest, place) in enumerate(work, 1):
                current = replaced.get(ingest.id, ingest)
                current, gone = _stripped(workspace, engine, scratch, current, place)
                replaced[ingest.id] = current
                rows += gone
                step.at(number)
        finally:
            engine.close()
        for ingest in quarantines:
            current = replaced.get(ingest.id, ingest)
            kept = {kind: paths for kind, paths in current.files.items() if kind != "quarantine"}
            replaced[ingest.id] = current.model_copy(update={"files": kept})
        for ingest in superseded:
            current = replaced.get(ingest.id, ingest)
            replaced[ingest.id] = current.model_copy(update={"files": {**current.files, "data": ()}})
        stripped = {r.id: _without_subscribers(workspace, scratch, r) for r in runs}
        for run in claims:
            stripped[run.id] = stripped.get(run.id, run).model_copy(update={"claims": None})
        workspace.commit(
            catalogue.model_copy(
                update={
                    "ingests": tuple(replaced.get(i.id, i) for i in catalogue.ingests),
                    "merged": tuple(m for m in catalogue.merged if m.month >= oldest),
                    "devices": None if work else catalogue.devices,
                    "runs": tuple(stripped.get(r.id, r) for r in catalogue.runs),
                }
            )
        )
    workspace.sweep()
    return PruneReport(months, files, rows, len(runs), len(quarantines), len(superseded), len(claims))


def overdue(workspace: Workspace, as_of: date) -> bool:
    """Whether retention has something to do."""
    report = prune(workspace, as_of, Limits(workspace.scratch), dry_run=True)
    return bool(report.files or report.publications or report.quarantines or report.lists or report.claims)


def _without_subscribers(workspace: Workspace, scratch: Path, run: Run) -> Run:
    """The run with its publications copied without the lists that name subscribers."""
    personal = {entry.name for entry in all_lists().values() if entry.retention == "subscriber"}
    publications = []
    for publication in run.publications:
        before = workspace.path(publication.path)
        staged = scratch / Path(publication.path).name
        with disk_errors():
            for file in sorted(f for f in before.rglob("*") if f.is_file() and f.stem not in personal):
                target = staged / file.relative_to(before)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        kept = {name for name in publication.sha256 if Path(name).stem not in personal}
        publications.append(
            publication.model_copy(
                update={
                    "path": workspace.adopt(staged, f"{publication.path}-without-subscribers"),
                    "rows": {name: n for name, n in publication.rows.items() if name in kept},
                    "sha256": {name: s for name, s in publication.sha256.items() if name in kept},
                }
            )
        )
    return run.model_copy(update={"stripped": True, "publications": tuple(publications)})


def _continued(catalogue: Catalogue, run: Run) -> bool:
    """Whether a run to come may continue from this one: it is of one of the last two days.

    Its claims say who goes on using an identity that is blocked; without them they would be cut.
    """
    return run.as_of in sorted({r.as_of for r in catalogue.runs})[-2:]


def _due(ingest: Ingest, month: int, oldest: int) -> bool:
    folded = source_named(ingest.source).folded
    return folded in ("months", "rows") and month < oldest and month not in ingest.stripped_months


def _superseded(catalogue: Catalogue, ingest: Ingest) -> bool:
    """Whether a list with personal data came, and another full list has replaced it since."""
    source = source_named(ingest.source)
    state = catalogue.lists.get(ingest.source)
    personal = any(column.personal for column in source.table.columns)
    return (
        source.folded == "list"
        and personal
        and bool(ingest.files.get("data"))
        and (state is None or ingest.id not in state.ingests)
    )


def _month(day: date) -> int:
    return day.year * 100 + day.month


def _stripped(
    workspace: Workspace, engine: DuckEngine, scratch: Path, ingest: Ingest, place: int
) -> tuple[Ingest, int]:
    """The ingest with one month's subscribers gone, and how many rows folded away."""
    data = list(ingest.files["data"])
    month, old = ingest.months[place], data[place]
    done = (*ingest.stripped_months, month)
    source = source_named(ingest.source)
    engine.files(
        "rows_before",
        [workspace.path(old)],
        OBSERVATIONS.columns if source.folded == "months" else source.table.columns,
    )
    before = int(str(engine.rows("SELECT count(*) FROM rows_before")[0][0]))
    staged = scratch / f"stripped-{ingest.id}-{month}.parquet"
    if source.folded == "rows":  # nothing of a sighting is left without its subscriber
        engine.save_file("SELECT * FROM rows_before WHERE FALSE", staged)
        after = 0
    else:
        engine.save_file(
            "SELECT month, operator, imei, CAST(NULL AS BIGINT) AS imsi, CAST(NULL AS BIGINT) AS msisdn, "
            "min(first_day) AS first_day, max(last_day) AS last_day, CAST(bit_or(day_mask) AS INTEGER) AS "
            "day_mask, "
            "CAST(bit_or(rats) AS INTEGER) AS rats FROM rows_before WHERE imei IS NOT NULL "
            "GROUP BY month, operator, imei ORDER BY imei",
            staged,
        )
        after = int(str(engine.rows(f"SELECT count(*) FROM read_parquet('{staged}')")[0][0]))
    data[place] = workspace.adopt(staged, old.replace(".parquet", "-stripped.parquet"))
    update = {"files": {**ingest.files, "data": tuple(data)}, "stripped_months": done}
    return ingest.model_copy(update=update), before - after
