"""Publishing a run: lists for every receiver, the changes since an earlier run, and a manifest of it all."""

import hashlib
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import ceir
from ceir.clock import day_number
from ceir.errors import CeirError, UsageError
from ceir.lists import ControlList, all_lists
from ceir.pipeline.catalogue import Catalogue, Publication, Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.claiming import name_past_claims
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.progress import SILENT, Progress, Step
from ceir.pipeline.publish.comparing import CHANGE_COLUMNS, delta_sql
from ceir.pipeline.publish.deciding import (
    name_contacts,
    name_decisions,
    name_lines,
    name_paired,
    name_permitted,
)
from ceir.pipeline.publish.writing import Written, write_list
from ceir.pipeline.workspace import Workspace, canonical_json
from ceir.policy import Policy
from ceir.policy.loading import load_policy
from ceir.tables import Column
from ceir.tables.decisions import TABLE as DECISIONS
from ceir.tables.devices import TABLE as DEVICES


class NothingToPublishError(CeirError):
    """There is no run to publish."""

    code = "nothing_to_publish"


class RunOutdatedError(CeirError):
    """The lake or the policy changed since the run."""

    code = "run_outdated"


class PublishOrderError(CeirError):
    """Lists of a later day are out already."""

    code = "publish_out_of_order"


@dataclass(frozen=True)
class PublishRequest:
    """What is asked for.

    Args:
        as_of: publish the run of this day; None: the newest run.
        base: the published run that deltas are against; None: the last one published.
    """

    as_of: date | None = None
    base: int | None = None


def publish(
    workspace: Workspace, request: PublishRequest, engine: Engine, progress: Progress = SILENT
) -> tuple[Run, Publication, bool]:
    """Write the lists of a run; call it with the workspace locked.

    Returns: the run, what was published, and whether it is new: asked again it gives what is there.

    Raises:
        NothingToPublishError: no run, or none of that day.
        RunOutdatedError: something was ingested, undone or decided since; classify again.
        PublishOrderError: a later day was published already.
        UsageError: the base was never published, or lost its lists to retention.
    """
    catalogue = workspace.catalogue()
    run = _chosen(catalogue, request.as_of)
    base = _base(catalogue, run, request.base)
    there = next((p for p in run.publications if p.base == (base.id if base else None)), None)
    if there is not None:
        return run, there, False
    policy, sha256 = load_policy(workspace.root / "policies" / f"{run.policy_sha256}.toml")
    _still_true(workspace, catalogue, run)
    with workspace.staging() as scratch:
        folder = scratch / "lists"
        folder.mkdir()
        with progress.step("Publishing", 6, "steps") as step:
            name_inputs(engine, workspace, catalogue)
            name_history(engine, workspace, "verdicts", run)
            as_of = day_number(run.as_of)
            name_decisions(engine, policy, as_of, run.releases)
            name_past_claims(engine, workspace, "claims", run)
            name_lines(engine, as_of)
            step.at(1)
            name_contacts(engine, policy, as_of)
            step.at(2)
            name_paired(engine, policy)
            _name_seen(engine, workspace, catalogue, policy)
            name_permitted(engine, policy)
            step.at(3)
            written = _write(engine, workspace, policy, run, base, folder, step)
        columns = ", ".join(DECISIONS.names)
        engine.save(f"SELECT {columns} FROM decided ORDER BY imei", folder / "decisions")
        manifest = _manifest(catalogue, policy, sha256, run, base, written, engine)
        (folder / "manifest.json").write_bytes(canonical_json(manifest))
        name = f"{run.id:05d}" + (f"-since-{base.id:05d}" if run.publications and base else "")
        path = workspace.adopt(folder, f"lists/{name}")
        publication = Publication(
            path=path,
            base=base.id if base else None,
            rows={w.file: w.rows for w in written.values()},
            sha256={w.file: w.sha256 for w in written.values()},
        )
        published = run.model_copy(update={"publications": (*run.publications, publication)})
        runs = tuple(published if r.id == run.id else r for r in catalogue.runs)
        workspace.commit(catalogue.model_copy(update={"runs": runs}))
    return published, publication, True


def _chosen(catalogue: Catalogue, as_of: date | None) -> Run:
    runs = [run for run in catalogue.runs if as_of is None or run.as_of == as_of]
    if not runs:
        asked = f" for {as_of.isoformat()}" if as_of else ""
        raise NothingToPublishError(f"There is no run{asked}.", "Make one with: ceir classify")
    run = runs[-1]
    later = [r for r in catalogue.runs if r.publications and r.as_of > run.as_of]
    if later:
        raise PublishOrderError(
            f"Lists of {later[-1].as_of.isoformat()} are published; those of {run.as_of.isoformat()} would "
            f"go back in time.",
            "Classify a later day.",
        )
    return run


def _base(catalogue: Catalogue, run: Run, wanted: int | None) -> Run | None:
    published = [r for r in catalogue.runs if r.publications and r.id != run.id]
    if wanted is None:
        # a run published before keeps the base it was first published against
        if run.publications:
            return catalogue.run(run.publications[0].base) if run.publications[0].base is not None else None
        return published[-1] if published else None
    found = next((r for r in published if r.id == wanted), None)
    if found is None:
        listed = ", ".join(str(r.id) for r in published) or "none"
        raise UsageError(f"Run {wanted} was never published.", f"Published runs: {listed}.")
    if found.stripped:
        raise UsageError(f"The lists of run {wanted} were deleted by retention.", "Choose a later base.")
    return found


def _still_true(workspace: Workspace, catalogue: Catalogue, run: Run) -> None:
    changed = tuple(i.id for i in catalogue.live) != run.inputs
    if changed or workspace.policy()[1] != run.policy_sha256:
        what = "Files were ingested or undone" if changed else "The policy was changed"
        raise RunOutdatedError(f"{what} since run {run.id}.", "Classify again, then publish: ceir run")


def _name_seen(engine: Engine, workspace: Workspace, catalogue: Catalogue, policy: Policy) -> None:
    """Name `devices_seen`, which only a restrictive policy needs."""
    if policy.mode == "restrictive" and catalogue.devices is None:
        raise RunOutdatedError("Retention has been at work since the run.", "Classify again: ceir run")
    paths = [workspace.path(catalogue.devices.path)] if catalogue.devices else []
    engine.files("devices_seen", paths, DEVICES.columns)


def _write(
    engine: Engine,
    workspace: Workspace,
    policy: Policy,
    run: Run,
    base: Run | None,
    folder: Path,
    step: Step,
) -> dict[str, Written]:
    """Full lists (the first time a run is published) and deltas, by name of the file."""
    written: dict[str, Written] = {}
    for entry in all_lists().values():
        if policy.mode not in entry.modes:
            continue
        engine.table(f"list_{entry.name}", entry.sql)
    step.at(4)
    for entry, operator in _receivers(policy):
        columns = entry.columns_for(amnesty=policy.amnesty.enabled)
        now = f"SELECT {', '.join(columns)} FROM list_{entry.name}"
        place = Path(operator) / entry.name if operator else Path(entry.name)
        if operator:
            now += f" WHERE operator = '{operator}'"
        order = ", ".join(entry.key)
        if not run.publications:
            for w in write_list(_rows(engine, f"{now} ORDER BY {order}"), columns, folder, str(place)):
                written[w.file] = w
        if base is not None:
            _name_before(engine, workspace, base, place, columns)
            changes = delta_sql(entry, "version_before", f"({now})", columns)
            ordered = f"SELECT * FROM ({changes}) AS changes ORDER BY {order}, change"
            target = str(Path("delta") / place)
            for w in write_list(_rows(engine, ordered), (*CHANGE_COLUMNS, *columns), folder, target):
                written[w.file] = w
    step.at(6)
    return written


def _receivers(policy: Policy) -> Iterator[tuple[ControlList, str | None]]:
    for entry in all_lists().values():
        if policy.mode not in entry.modes:
            continue
        if entry.per_operator:
            for operator in policy.operators:
                if not (entry.for_unable and operator.holds_exceptions):
                    yield entry, operator.id
        else:
            yield entry, None


def _rows(engine: Engine, sql: str) -> Iterator[pa.RecordBatch]:
    yield from engine.batches(sql)


def _name_before(
    engine: Engine, workspace: Workspace, base: Run, place: Path, columns: tuple[str, ...]
) -> None:
    """Name `version_before`: the list as the base published it; a list it did not have counts as empty, a
    column it did not have (the policy was another) as empty text."""
    file = workspace.path(base.publications[0].path) / place.with_suffix(".parquet")
    there = set(pq.read_schema(file).names) if file.exists() else set(columns)
    declared = tuple(Column(c, "VARCHAR", "") for c in columns if c in there)
    engine.files("version_published", [file] if file.exists() else [], declared)
    chosen = ", ".join(c if c in there else f"'' AS {c}" for c in columns)
    engine.view("version_before", f"SELECT {chosen} FROM version_published")


def _manifest(
    catalogue: Catalogue,
    policy: Policy,
    sha256: str,
    run: Run,
    base: Run | None,
    written: dict[str, Written],
    engine: Engine,
) -> dict[str, object]:
    """What lies in the folder and what it was made of; no moment of making, so that it can be made again."""
    more: dict[str, object] = {}
    keeping = sorted(label for label, c in policy.conditions.items() if c.blocking and c.exceptions != "none")
    if keeping:
        more["keeps_lines"] = keeping
    if policy.release.staged_by == "register":
        more["release"] = {"staged_by": "register"}
    elif policy.release.staged:
        more["release"] = {
            "staged_by": "pipeline",
            "key_sha256": hashlib.sha256(policy.release.key.encode("utf-8")).hexdigest(),
            "orders": run.orders,
            "conditions": [state.model_dump(mode="json") for state in run.releases],
        }
    put = next((a for a in reversed(catalogue.activations) if a.sha256 == sha256), None)
    if put is not None and put.at is not None and (put.budget is not None or put.accepted):
        more["activation"] = put.model_dump(mode="json", exclude={"name", "version", "sha256"})
    return {
        **more,
        "format": 1,
        "country": policy.country.name,
        "as_of": run.as_of.isoformat(),
        "run": run.id,
        "base": {"run": base.id, "as_of": base.as_of.isoformat()} if base else None,
        "policy": {"name": policy.name, "version": policy.version, "sha256": sha256},
        "mode": policy.mode,
        "software": {
            "openceir": ceir.__version__,
            "engine": engine.version(),
            "classified_with": run.engine,
            "pyarrow": pa.__version__,
            "python": platform.python_version(),
        },
        "fingerprint": run.fingerprint,
        "conditions": [c.model_dump(mode="json") for c in run.counts],
        "inputs": [
            {
                "id": i.id,
                "source": i.source,
                "operator": i.operator,
                "file": i.file,
                "sha256": i.sha256,
                "rows": i.counts.kept,
            }
            for i in catalogue.live
        ],
        "files": [asdict(written[name]) for name in sorted(written)],
    }
