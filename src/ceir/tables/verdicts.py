"""Which conditions hold for which equipment, since when, and what follows."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="verdicts",
    doc="The verdicts in force after a run.",
    grain="(imei, condition)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity; negative: key into `malformed`."),
        Column("condition", "VARCHAR", "Label of the policy's condition."),
        Column("first_matched_on", "INTEGER", "Day of the run that first matched.", "days since 1970-01-01"),
        Column(
            "block_on", "INTEGER", "Day from which it blocks; null: it does not.", "days since 1970-01-01"
        ),
        Column("matching", "BOOLEAN", "False: in force only because the condition is sticky."),
        Column("amnesty", "BOOLEAN", "True: amnesty was granted in the evaluation period."),
    ),
    key=("imei", "condition"),
)
