"""The verbatim text of equipment identities that are not 14 digits."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="malformed",
    doc="Malformed equipment identities, kept verbatim (trimmed, upper case) apart from the numbers.",
    grain="one malformed identity",
    columns=(
        Column("imei", "BIGINT", "Negative key used in every other table."),
        Column("text", "VARCHAR", "The identity as reported."),
        Column("tac", "INTEGER", "Its first eight characters, if they are digits."),
        Column("reporting_body", "INTEGER", "Its first two characters, if they are digits."),
    ),
    key=("imei",),
)
