"""What a run decided for each piece of equipment that has a verdict in force."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="decisions",
    doc="One outcome per equipment, from all its verdicts, golden devices set apart.",
    grain="one equipment identity with a verdict in force",
    columns=(
        Column("imei", "BIGINT", "Equipment identity; negative: key into `malformed`."),
        Column("text", "VARCHAR", "The identity as it is written in lists."),
        Column(
            "outcome", "VARCHAR", "blocked, notified (block date ahead), tracked, spared (golden) or trial."
        ),
        Column("block_on", "INTEGER", "Earliest block date; null: none.", "days since 1970-01-01"),
        Column("since", "INTEGER", "Earliest first match of a verdict in force.", "days since 1970-01-01"),
        Column(
            "reasons", "BIGINT", "The conditions that block it, as a mask over the policy's condition order."
        ),
        Column(
            "conditions", "BIGINT", "All conditions in force, as a mask over the policy's condition order."
        ),
        Column("amnesty", "BOOLEAN", "True: a verdict of it was granted amnesty."),
    ),
    key=("imei",),
)
