"""How much of a synthetic country's hidden truth its verdicts found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify.changing import name_history
from ceir.pipeline.classify.inputs import name_inputs
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy
from ceir.tables import Column
from ceir.testing.country import Label

_SHARED = ("too_many_imsis", "too_many_imsis_daily", "too_many_persons_daily", "rat_exceeds_capability")
MEANT_FOR: Mapping[Label, tuple[str, ...]] = {
    Label.CLONE_CLUSTER: _SHARED,
    Label.CLONE_FAR: _SHARED,
    Label.CLONE_NEAR: _SHARED,
    Label.OEM_ERROR: _SHARED,
    Label.PLACEHOLDER: ("imei_placeholder",),
    Label.MALFORMED: ("imei_malformed",),
    Label.TEST_TAC: ("test_tac",),
    Label.UNALLOCATED_TAC: ("tac_not_allocated",),
    Label.RAT_MISMATCH: ("rat_exceeds_capability",),
    Label.STOLEN: ("stolen_local",),
    Label.STOLEN_FOREIGN: ("stolen_foreign",),
    Label.BARRED: ("imei_barred",),
    Label.BARRED_TAC: ("tac_barred",),
    Label.UNREGISTERED: ("not_registered",),
    Label.NOT_TYPE_APPROVED: ("not_type_approved",),
    Label.PRE_RELEASE: ("seen_before_release",),
    Label.SIM_BOX: ("transient_numbers",),
}
"""Which rules are there to find which wrongdoing."""

WORDS: Mapping[Label, str] = {
    Label.CLONE_CLUSTER: "copied to many devices",
    Label.CLONE_FAR: "copied to one, another town",
    Label.CLONE_NEAR: "copied to one, same town",
    Label.OEM_ERROR: "given out twice by its maker",
    Label.PLACEHOLDER: "filler instead of an IMEI",
    Label.MALFORMED: "not an IMEI",
    Label.TEST_TAC: "identity of test equipment",
    Label.UNALLOCATED_TAC: "TAC never allocated",
    Label.RAT_MISMATCH: "4G device, IMEI of a 2G model",
    Label.STOLEN: "stolen here, in use",
    Label.STOLEN_FOREIGN: "stolen abroad, in use",
    Label.BARRED: "barred by the regulator",
    Label.BARRED_TAC: "of a barred model",
    Label.UNREGISTERED: "not registered",
    Label.NOT_TYPE_APPROVED: "model without approval",
    Label.PRE_RELEASE: "used before its import release",
    Label.SIM_BOX: "in a SIM box",
}


@dataclass(frozen=True)
class Found:
    """A kind of wrongdoing, how many identities it hides behind and how many of them verdicts found.

    Args:
        conditions: of the policy that are there to find it; none: nobody looks for it.
        best: the one of them that found most.
    """

    label: str
    words: str
    hidden: int
    found: int
    conditions: tuple[str, ...]
    best: str | None


@dataclass(frozen=True)
class Score:
    """The truth against the verdicts of a run.

    Args:
        honest: identities that only honest people use, each in its own device.
        blocked: those of them that a blocking condition matches.
    """

    found: tuple[Found, ...]
    honest: int
    blocked: int


def score(engine: Engine, workspace: Workspace, policy: Policy, run: Run, truth: Path) -> Score:
    """Hold the verdicts of a run against the truth."""
    name_inputs(engine, workspace, workspace.catalogue())
    name_history(engine, workspace, "verdicts", run)
    columns = (Column("imei", "VARCHAR", ""), Column("label", "VARCHAR", ""))
    engine.files("truth_rows", [truth], columns)
    engine.table("truth", "SELECT DISTINCT imei, label FROM truth_rows")
    engine.table(
        "found",
        "SELECT CASE WHEN v.imei >= 0 THEN LPAD(CAST(v.imei AS VARCHAR), 14, '0') ELSE m.text END AS imei, "
        "v.condition FROM verdicts AS v LEFT JOIN malformed AS m ON m.imei = v.imei",
    )
    kinds = tuple(_kind(engine, policy, label) for label in MEANT_FOR)
    honest = "SELECT imei FROM truth GROUP BY imei HAVING MIN(label) = 'genuine' AND MAX(label) = 'genuine'"
    blocking = tuple(label for label, c in policy.conditions.items() if c.blocking)
    hit = f"SELECT COUNT(*) FROM ({honest}) AS h WHERE imei IN ({_matched(blocking)})"
    return Score(
        tuple(kind for kind in kinds if kind.hidden),
        _number(engine, f"SELECT COUNT(*) FROM ({honest}) AS h"),
        _number(engine, hit),
    )


def _kind(engine: Engine, policy: Policy, label: Label) -> Found:
    name = label.name.lower()
    conditions = tuple(
        condition
        for condition, c in policy.conditions.items()
        if any(use.rule in MEANT_FOR[label] and not use.negated for use in c.all)
    )
    hidden = f"SELECT COUNT(*) FROM truth WHERE label = '{name}'"
    found = _number(engine, f"{hidden} AND imei IN ({_matched(conditions)})")
    each = {c: _number(engine, f"{hidden} AND imei IN ({_matched((c,))})") for c in conditions}
    best = max(each, key=lambda c: each[c]) if found else None
    return Found(name, WORDS[label], _number(engine, hidden), found, conditions, best)


def _matched(conditions: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{label}'" for label in conditions) or "''"
    return f"SELECT imei FROM found WHERE condition IN ({listed})"


def _number(engine: Engine, sql: str) -> int:
    return int(str(engine.rows(sql)[0][0]))
