"""Undoing an ingest: its rows leave the lake completely, whatever was built on them is built anew."""

from itertools import takewhile
from pathlib import Path

from ceir.clock import day_number
from ceir.errors import CeirError, UsageError
from ceir.facts._ranges import in_ranges_sql
from ceir.pipeline.catalogue import Catalogue, Ingest, ListState
from ceir.pipeline.classify.inputs import observation_paths, row_paths
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest.listing import after_delta_sql, after_full_sql
from ceir.pipeline.ingest.work import nothing_left_behind
from ceir.pipeline.progress import SILENT, Progress
from ceir.pipeline.workspace import Workspace
from ceir.sources import Source, source_named
from ceir.tables import Column
from ceir.tables.devices import TABLE as DEVICES
from ceir.tables.malformed import TABLE as MALFORMED
from ceir.tables.observations import TABLE as OBSERVATIONS

CHANGE = Column("change_type", "VARCHAR", "What a delta does with an entry.")


class CannotUndoError(CeirError):
    """What rests on the ingest would no longer make sense without it."""

    code = "cannot_undo"


def undo(
    workspace: Workspace, ingest_id: int, because: str, limits: Limits, progress: Progress = SILENT
) -> Ingest:
    """Take an ingest back; call it with the workspace locked.

    Its data, quarantine and share of every merged month are deleted; its record stays with the reason. The
    next run looks again at all the equipment it spoke of, and verdicts that rested on it start anew.

    Raises:
        UsageError: no such ingest, or undone already.
        CannotUndoError: deltas of its list came after it and must be undone first, or retention has
            deleted its rows or those of the list before it.
    """
    catalogue = workspace.catalogue()
    record = next((i for i in catalogue.ingests if i.id == ingest_id), None)
    if record is None:
        raise UsageError(f"There is no ingest {ingest_id}.", "List them with: ceir ingest --list")
    if record.state == "undone":
        raise UsageError(f"Ingest {ingest_id} was undone already: {record.undone_because}.")
    if record.counts.stored and not record.files.get("data"):
        raise CannotUndoError(
            f"Retention has deleted the rows of ingest {ingest_id}.", "Nothing is left to undo."
        )
    source = source_named(record.source)
    with workspace.staging() as scratch, nothing_left_behind(workspace):
        engine = DuckEngine(Limits(scratch, limits.threads, limits.memory_gb), ordered=True)
        try:
            with progress.step(f"Undoing ingest {ingest_id}"):
                update = _update(workspace, catalogue, record, source, engine, scratch)
        finally:
            engine.close()
        undone = record.model_copy(
            update={"state": "undone", "undone_because": because, "files": {}, "days": {}}
        )
        ingests = tuple(undone if i.id == ingest_id else i for i in catalogue.ingests)
        workspace.commit(catalogue.model_copy(update={**update, "ingests": ingests}))
    workspace.sweep()
    return undone


def _update(
    workspace: Workspace,
    catalogue: Catalogue,
    record: Ingest,
    source: Source,
    engine: DuckEngine,
    scratch: Path,
) -> dict[str, object]:
    update: dict[str, object] = {}
    moved = ""
    if source.folded == "list":
        lists = dict(catalogue.lists)
        state = _replayed(workspace, catalogue, record, source, engine, scratch)
        if state is None:
            lists.pop(source.name, None)
        else:
            lists[source.name] = state
        update["lists"] = lists
        before = [workspace.path(catalogue.lists[source.name].path)]
        engine.files("list_before", before, source.table.columns)
        engine.files("list_after", [workspace.path(state.path)] if state else [], source.table.columns)
        moved = _equipment_of(workspace, catalogue, source, engine)
    elif source.folded == "months":
        gone = [workspace.path(p) for p in record.files.get("data", ())]
        engine.files("gone", gone, OBSERVATIONS.columns)
        moved = "SELECT imei FROM gone WHERE imei IS NOT NULL"
        update["merged"] = tuple(m for m in catalogue.merged if record.id not in m.ingests)
    elif source.folded == "rows":
        gone = [workspace.path(p) for p in record.files.get("data", ())]
        engine.files("gone", gone, source.table.columns)
        moved = "SELECT imei FROM gone"
    seen_by = tuple(run.id for run in catalogue.runs if record.id in run.inputs)
    if seen_by and moved:
        staged = scratch / "withdrawn.parquet"
        engine.save_file(f"SELECT DISTINCT imei FROM ({moved}) ORDER BY imei", staged)
        keys = workspace.adopt(staged, f"lake/withdrawn/{record.id:06d}.parquet")
        update["withdrawn"] = {**catalogue.withdrawn, keys: seen_by}
    return update


def _equipment_of(workspace: Workspace, catalogue: Catalogue, source: Source, engine: DuckEngine) -> str:
    """SELECT of the equipment that the entries speak of which the undo adds, takes away or changes."""
    entries = (
        "((SELECT * FROM list_before EXCEPT SELECT * FROM list_after) "
        "UNION ALL (SELECT * FROM list_after EXCEPT SELECT * FROM list_before))"
    )
    if source.subject == "imei":
        return f"SELECT imei FROM {entries}"
    if source.subject == "imsi":
        engine.files("observed", observation_paths(workspace, catalogue), OBSERVATIONS.columns)
        return f"SELECT imei FROM observed WHERE imei IS NOT NULL AND imsi IN (SELECT imsi FROM {entries})"
    if source.subject == "cell":
        sighted = row_paths(workspace, catalogue.live, "sightings")
        engine.files("sighted", sighted, source_named("sightings").table.columns)
        return f"SELECT imei FROM sighted WHERE cell IN (SELECT cell FROM {entries})"
    if source.subject == "tac":
        devices = [workspace.path(catalogue.devices.path)] if catalogue.devices else []
        engine.files("known_devices", devices, DEVICES.columns)
        texts = [workspace.path(p) for i in catalogue.live for p in i.files.get("malformed", ())]
        engine.files("texts", texts, MALFORMED.columns)
        tacs = f"SELECT tac FROM {entries}"
        return (
            f"SELECT imei FROM known_devices WHERE imei >= 0 AND imei // 1000000 IN ({tacs}) "
            f"UNION SELECT imei FROM texts WHERE tac IN ({tacs})"
        )
    if source.subject == "range":
        devices = [workspace.path(catalogue.devices.path)] if catalogue.devices else []
        engine.files("known_devices", devices, DEVICES.columns)
        known = (
            "(SELECT imei, CASE WHEN imei >= 0 THEN CAST(imei // 1000000 AS INTEGER) END AS tac "
            "FROM known_devices) AS k"
        )
        return f"SELECT imei FROM ({in_ranges_sql(known, f'{entries} AS e')}) AS inside"
    return ""


def _replayed(
    workspace: Workspace,
    catalogue: Catalogue,
    gone: Ingest,
    source: Source,
    engine: DuckEngine,
    scratch: Path,
) -> ListState | None:
    """The state of the list as if the ingest had never come: every other file once more, in order."""
    rest = _replayable([i for i in catalogue.live if i.source == source.name], gone)
    if not rest:
        return None
    values = [c for c in source.table.columns if c.name != "since"]
    engine.files("current", [], source.table.columns)
    held: list[int] = []
    for number, ingest in enumerate(rest):
        data = [workspace.path(path) for path in ingest.files["data"]]
        received = day_number(ingest.received_on)
        if ingest.delta:
            engine.files("changes", data, [*values, CHANGE])
            engine.table(f"state_{number}", after_delta_sql(source, received))
            held.append(ingest.id)
        else:
            engine.files("fresh", data, values)
            engine.table(f"state_{number}", after_full_sql(source, received))
            held = [ingest.id]
        engine.view("current", f"SELECT * FROM state_{number}")
    staged = scratch / "replayed.parquet"
    engine.save_file(f"SELECT * FROM current ORDER BY {', '.join(source.key)}", staged)
    path = workspace.adopt(staged, f"lake/{source.name}/after-undo-{gone.id:06d}.parquet")
    rows = int(str(engine.rows("SELECT count(*) FROM current")[0][0]))
    return ListState(path=path, rows=rows, ingests=tuple(held))


def _replayable(ingests: list[Ingest], gone: Ingest) -> list[Ingest]:
    """The other files of the list, from the first whose rows are still there.

    Raises:
        CannotUndoError: deltas rest on the one that is to go, or retention has deleted those before it.
    """
    place = ingests.index(gone)
    deltas = list(takewhile(lambda i: i.delta, ingests[place + 1 :]))
    if deltas and not gone.delta:
        raise CannotUndoError(
            f"Deltas of {gone.source} rest on ingest {gone.id}.",
            f"Undo them first, the newest first: {', '.join(str(i.id) for i in reversed(deltas))}.",
        )
    rest = [i for i in ingests if i.id != gone.id]
    pruned = [number for number, i in enumerate(rest) if not i.files.get("data")]
    kept = rest[pruned[-1] + 1 :] if pruned else rest
    if pruned and not (kept and not kept[0].delta):
        raise CannotUndoError(
            f"Retention has deleted the list of {gone.source} that was there before ingest {gone.id}.",
            "Take in a full list; it replaces this one.",
        )
    return kept
