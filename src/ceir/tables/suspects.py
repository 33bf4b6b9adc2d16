"""Identities that the score calls clones or cannot settle."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="suspects",
    doc="Identities that a condition with the rule `cloned` or `perhaps_cloned` matched, with their score.",
    grain="(imei, condition)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity; negative: key into `malformed`."),
        Column("condition", "VARCHAR", "Label of the policy's condition."),
        Column("answer", "VARCHAR", "clone or undecided."),
        Column("score", "INTEGER", "What all signals add up to.", "thousandths of a natural log-odds"),
        Column("signals", "INTEGER", "Independent kinds of evidence that speak."),
    ),
    key=("imei", "condition"),
)
