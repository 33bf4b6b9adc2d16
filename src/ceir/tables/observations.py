"""Which equipment an operator saw with which subscriber, a row a month."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="observations",
    doc="Compacted observations: what an operator's network saw, by month.",
    grain="(month, operator, imei, imsi, msisdn); one file of an ingest may repeat the grain of another",
    columns=(
        Column("month", "INTEGER", "Calendar month.", "yyyymm"),
        Column("operator", "VARCHAR", "Id of the operator that reported it."),
        Column(
            "imei", "BIGINT", "14 digits as a number; negative: key into `malformed`; null: not reported."
        ),
        Column("imsi", "BIGINT", "Digits with a 1 before them, so that leading zeros live.", personal=True),
        Column("msisdn", "BIGINT", "Digits with a 1 before them.", personal=True),
        Column("first_day", "INTEGER", "First day seen in the month.", "days since 1970-01-01"),
        Column("last_day", "INTEGER", "Last day seen in the month.", "days since 1970-01-01"),
        Column("day_mask", "INTEGER", "Bit d-1 is set when seen on day d of the month.", "31-bit mask"),
        Column("rats", "INTEGER", "Radio technologies seen.", "mask of ceir.identifiers.rat"),
    ),
    retention="subscriber",
)
