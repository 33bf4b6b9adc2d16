"""What the register takes over: every identity that a condition matches, and what became of it."""

from ceir.lists.declaration import ControlList, ListColumn

LIST = ControlList(
    name="decisions",
    title="Decisions",
    doc="Every identity with a verdict in force, whether or not it is on another list, with what was "
    "decided. The register takes a run over by it; operators do not receive it.",
    source="practice",
    columns=(
        ListColumn("imei", "The identity."),
        ListColumn(
            "outcome",
            "`blocked`, `notified` (its block date is ahead), `tracked`, `spared` (golden) or `trial`.",
        ),
        ListColumn("since", "First day a condition in force matched it, YYYYMMDD."),
        ListColumn("block_date", "Earliest day from which it is blocked, YYYYMMDD; empty: none."),
        ListColumn(
            "reasons",
            "Why: the different reasons of what blocks it, of a tracked or trial one of all conditions in "
            "force; sorted, joined by |.",
        ),
        ListColumn("conditions", "Labels of all conditions in force, sorted, joined by |."),
    ),
    key=("imei",),
    sql="SELECT imei_text AS imei, outcome, since_date AS since, block_date, "
    "CASE WHEN outcome IN ('tracked', 'trial') THEN condition_text ELSE reason_text END AS reasons, "
    "label_text AS conditions FROM decisions",
    reasons={"added": "'decided'", "removed": "'resolved'", "changed": "'changed'"},
    receivers="the register",
)
