"""Which equipment a run must look at again, and whether that is cheaper than looking at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ceir.clock import day_number
from ceir.facts._ranges import in_ranges_sql
from ceir.pipeline.catalogue import Catalogue, Run
from ceir.pipeline.classify.claiming import name_past_claims
from ceir.pipeline.classify.compiling import Compiled, compile_policy, drifts_sql
from ceir.pipeline.classify.inputs import known_to, observation_ingests, row_paths
from ceir.pipeline.classify.preparing import mates_sql
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.sources import Source, all_sources
from ceir.tables.observations import TABLE as OBSERVATIONS
from ceir.tables.verdicts import TABLE as VERDICTS

MOST_CHANGED = 0.2
"""Above this share of all equipment a full run is cheaper than a changed one."""


@dataclass(frozen=True)
class Base:
    """The run whose results are carried over for equipment that nothing happened to."""

    run: Run
    compiled: Compiled


def carry_base(
    catalogue: Catalogue,
    policy: Policy,
    policy_sha256: str,
    as_of: date,
    compiled: Compiled,
    history: Run | None,
) -> Base | None:
    """The newest run, if its results can be carried over; None: everything must be looked at.

    Why None: another policy, software that means something else by it, a list that came or went, or a run
    that continues from another history than this one.
    """
    if not catalogue.runs or catalogue.devices is None or policy.amnesty.enabled:
        return None
    run = catalogue.runs[-1]
    before = compile_policy(policy, run.as_of, known_to(run, catalogue))
    if run.as_of < as_of:
        continues = history is not None and history.id == run.id
    else:
        continues = run.as_of == as_of and run.parent == (history.id if history else None)
    same = (
        run.policy_sha256 == policy_sha256
        and run.fingerprint == compiled.fingerprint == before.fingerprint
        and continues
        and catalogue.devices.run == run.id
        and not run.stripped
    )
    return Base(run, before) if same else None


def name_new_rows(engine: Engine, workspace: Workspace, catalogue: Catalogue, base: Base) -> bool:
    """Name `new_rows` (observations the base did not see) and `gone` (equipment of what it saw and was
    undone).

    Returns: whether something was undone.
    """
    seen = set(base.run.inputs)
    fresh = [
        workspace.path(path)
        for ingest in observation_ingests(catalogue)
        if ingest.id not in seen
        for path in ingest.files.get("data", ())
    ]
    engine.files("new_rows", fresh, OBSERVATIONS.columns)
    keys = [workspace.path(path) for path, runs in catalogue.withdrawn.items() if base.run.id in runs]
    engine.files("gone", keys, OBSERVATIONS.columns[2:3])
    return bool(keys)


def name_withdrawn(engine: Engine, workspace: Workspace, catalogue: Catalogue, history: Run | None) -> None:
    """Name `withdrawn`: equipment of undone files that the history rests on, and the first day it did."""
    parts = []
    for number, (path, runs) in enumerate(sorted(catalogue.withdrawn.items())):
        days = [run.as_of for run in catalogue.runs if run.id in runs]
        if history is not None and history.id in runs:
            engine.files(f"withdrawn_{number}", [workspace.path(path)], OBSERVATIONS.columns[2:3])
            parts.append(
                f"SELECT imei, CAST({day_number(min(days))} AS INTEGER) AS since FROM withdrawn_{number}"
            )
    empty = "SELECT CAST(NULL AS BIGINT) AS imei, CAST(NULL AS INTEGER) AS since WHERE 1 = 0"
    engine.view("withdrawn", " UNION ALL ".join(parts) or empty)


def name_scope(
    engine: Engine, workspace: Workspace, catalogue: Catalogue, compiled: Compiled, base: Base
) -> int:
    """Compute `scope`: equipment whose verdicts may differ from the base's. Returns how much it is."""
    selects = ["SELECT imei FROM new_rows WHERE imei IS NOT NULL", "SELECT imei FROM gone"]
    seen = set(base.run.inputs)
    moved: list[str] = []
    for source in all_sources().values():
        if source.folded == "rows" and source.name in compiled.sources:
            fresh = [i for i in catalogue.live if i.id not in seen]
            engine.files(f"new_{source.view}", row_paths(workspace, fresh, source.name), source.table.columns)
            selects.append(f"SELECT imei FROM new_{source.view}")
            continue
        old, new = base.run.list_states.get(source.name), catalogue.lists.get(source.name)
        if source.name not in compiled.sources and source.view not in compiled.listed:
            continue
        if new is not None and old is not None and old != new.path:
            selects += _changed_entries(engine, workspace, source, old)
            moved.append(source.name)
    later, claiming = base.compiled.end < compiled.end, compiled.claiming
    if later:
        selects += drifts_sql(base.compiled, compiled)
    if claiming is not None and (later or claiming.far_reading):  # who is present changes with the days
        name_past_claims(engine, workspace, "claims_before", base.run)
        selects.append("SELECT imei FROM claims_before")
    mates = mates_sql(compiled.relations, "first_scope", before="registrations" in moved)
    engine.table("first_scope" if mates else "scope", " UNION ".join(selects))
    if mates:
        engine.table("scope", " UNION ".join(["SELECT imei FROM first_scope", *mates]))
    return int(str(engine.rows("SELECT COUNT(*) FROM scope")[0][0]))


def name_history(engine: Engine, workspace: Workspace, name: str, run: Run | None) -> None:
    """Name the verdicts of a run; none: an empty relation."""
    paths: Sequence[str] = [f"runs/{run.id:05d}/verdicts"] if run else []
    engine.files(name, [workspace.path(p) for p in paths], VERDICTS.columns)


def _changed_entries(engine: Engine, workspace: Workspace, source: Source, old: str) -> list[str]:
    """SELECTs of the equipment that entries which came, went or changed speak of."""
    before = f"{source.view}_before"
    engine.files(before, [workspace.path(old)], source.table.columns)
    columns = ", ".join(source.table.names)
    moved = f"{source.view}_moved"
    engine.table(
        moved,
        f"SELECT * FROM (SELECT {columns} FROM {source.view} EXCEPT SELECT {columns} FROM {before}) AS came "
        f"UNION ALL SELECT * FROM (SELECT {columns} FROM {before} EXCEPT SELECT {columns} FROM "
        f"{source.view}) AS went",
    )
    match source.subject:
        case "imei":
            return [f"SELECT imei FROM {moved}"]
        case "imsi":
            return [
                f"SELECT o.imei FROM observations AS o WHERE o.imei IS NOT NULL AND o.imsi IN (SELECT imsi "
                f"FROM {moved})"
            ]
        case "tac":
            tacs = [f"SELECT tac FROM {moved}"]
            if source.name == "tac":  # a TAC's record tells about all TACs of its model
                tacs += [
                    f"SELECT t.tac FROM {view} AS t JOIN {moved} AS m "
                    "ON m.manufacturer = t.manufacturer AND m.model_name = t.model_name"
                    for view in (source.view, before)
                ]
            return [f"SELECT imei FROM equipment WHERE tac IN ({' UNION '.join(tacs)})"]
        case "cell":
            return [f"SELECT imei FROM sightings WHERE cell IN (SELECT cell FROM {moved})"]
        case "range":
            return [f"SELECT imei FROM ({in_ranges_sql('equipment', moved)}) AS inside"]
        case "hash" | "none":
            return []
