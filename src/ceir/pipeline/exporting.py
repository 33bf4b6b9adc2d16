"""Verdicts as a plain file, for comparison with other systems and for auditors."""

from pathlib import Path

from ceir.clock import day_of
from ceir.errors import UsageError
from ceir.pipeline.catalogue import Catalogue, Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace, disk_errors

HEADER = "imei,rule,first_matched_on,block_on"


def run_named(catalogue: Catalogue, name: str) -> Run:
    """The run with this id, or the newest for `latest`.

    Raises:
        UsageError: there is none.
    """
    if name == "latest" and catalogue.runs:
        return catalogue.runs[-1]
    run = catalogue.run(int(name)) if name.isdecimal() else None
    if run is None:
        listed = ", ".join(str(r.id) for r in catalogue.runs) or "none; make one with: ceir classify"
        raise UsageError(f"There is no run {name!r}.", f"Runs: {listed}.")
    return run


def export_verdicts(workspace: Workspace, run: str, out: Path, engine: Engine) -> int:
    """Write `imei,rule,first_matched_on,block_on`, one row per verdict in force, sorted; days as YYYY-MM-DD.

    `rule` is the label of the policy's condition. Returns: the number of verdicts.

    Raises:
        UsageError: no such run.
        WorkspaceError: the file cannot be written.
    """
    catalogue = workspace.catalogue()
    chosen = run_named(catalogue, run)
    name_inputs(engine, workspace, catalogue)
    name_history(engine, workspace, "verdicts", chosen)
    sql = (
        "SELECT CASE WHEN v.imei >= 0 THEN LPAD(CAST(v.imei AS VARCHAR), 14, '0') ELSE m.text END AS imei, "
        "v.condition, v.first_matched_on, v.block_on FROM verdicts AS v "
        "LEFT JOIN malformed AS m ON m.imei = v.imei ORDER BY imei, v.condition"
    )
    days: dict[int | None, str] = {None: ""}
    written = 0
    fresh = out.with_name(f".{out.name}.new")
    with disk_errors():
        with fresh.open("w", encoding="utf-8", newline="\n") as file:
            file.write(HEADER + "\n")
            for batch in engine.batches(sql):
                columns = [batch.column(i).to_pylist() for i in range(4)]
                for imei, label, first, block in zip(*columns, strict=True):
                    for day in (first, block):
                        if day not in days:
                            days[day] = day_of(day).isoformat()
                    file.write(f"{imei},{label},{days[first]},{days[block]}\n")
                written += batch.num_rows
        fresh.replace(out)
    return written
