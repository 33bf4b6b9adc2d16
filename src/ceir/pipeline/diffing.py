"""What two runs say differently."""

from dataclasses import dataclass

from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.exporting import run_named
from ceir.pipeline.workspace import Workspace

SAMPLES = 5
"""Identities shown for each condition and kind of change."""


@dataclass(frozen=True)
class ConditionDiff:
    """A condition's verdicts in two runs.

    Args:
        changed: verdicts in both whose first day or block date differs.
    """

    condition: str
    before: int
    after: int
    came: int
    went: int
    changed: int


@dataclass(frozen=True)
class RunDiff:
    """The difference of two runs: by condition, with a few identities (imei, condition, what)."""

    before: Run
    after: Run
    conditions: tuple[ConditionDiff, ...]
    samples: tuple[tuple[str, str, str], ...]


def diff_runs(workspace: Workspace, before: int, after: int, engine: Engine) -> RunDiff:
    """Compare the verdicts of two runs.

    Raises:
        UsageError: one of them does not exist.
    """
    catalogue = workspace.catalogue()
    one, two = run_named(catalogue, str(before)), run_named(catalogue, str(after))
    name_inputs(engine, workspace, catalogue)
    name_history(engine, workspace, "verdicts_before", one)
    name_history(engine, workspace, "verdicts_after", two)
    engine.table(
        "differences",
        "SELECT COALESCE(a.imei, b.imei) AS imei, COALESCE(a.condition, b.condition) AS condition, "
        "CASE WHEN b.imei IS NULL THEN 'came' WHEN a.imei IS NULL THEN 'went' "
        "WHEN a.first_matched_on <> b.first_matched_on OR COALESCE(a.block_on, -1) <> COALESCE(b.block_on, "
        "-1) "
        "THEN 'changed' ELSE 'same' END AS what FROM verdicts_after AS a "
        "FULL OUTER JOIN verdicts_before AS b ON a.imei = b.imei AND a.condition = b.condition",
    )
    counted: dict[str, dict[str, int]] = {}
    for condition, what, n in engine.rows(
        "SELECT condition, what, COUNT(*) FROM differences GROUP BY condition, what ORDER BY condition, what"
    ):
        counted.setdefault(str(condition), {})[str(what)] = int(str(n))
    samples = engine.rows(
        "SELECT text, condition, what FROM (SELECT CASE WHEN d.imei >= 0 THEN LPAD(CAST(d.imei AS VARCHAR), "
        "14, '0') "
        "ELSE m.text END AS text, d.condition, d.what, "
        "ROW_NUMBER() OVER (PARTITION BY d.condition, d.what ORDER BY d.imei) AS place "
        "FROM differences AS d LEFT JOIN malformed AS m ON m.imei = d.imei WHERE d.what <> 'same') AS s "
        f"WHERE place <= {SAMPLES} ORDER BY condition, what, text"
    )
    return RunDiff(
        one,
        two,
        tuple(_condition(name, found) for name, found in counted.items()),
        tuple((str(t), str(c), str(w)) for t, c, w in samples),
    )


def _condition(name: str, found: dict[str, int]) -> ConditionDiff:
    came, went, changed, same = (found.get(what, 0) for what in ("came", "went", "changed", "same"))
    return ConditionDiff(name, same + changed + went, same + changed + came, came, went, changed)
