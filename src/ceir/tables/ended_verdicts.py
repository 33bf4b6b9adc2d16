"""Verdicts that a run found no longer in force."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="ended_verdicts",
    doc="Verdicts of the run before that ended with this one.",
    grain="(imei, condition)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity; negative: key into `malformed`."),
        Column("condition", "VARCHAR", "Label of the policy's condition."),
        Column("first_matched_on", "INTEGER", "Day of the run that first matched.", "days since 1970-01-01"),
        Column("ended_on", "INTEGER", "Day of the run that ended it.", "days since 1970-01-01"),
    ),
    key=("imei", "condition"),
)
