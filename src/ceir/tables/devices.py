"""What the network ever told about each equipment identity, folded into one row."""

from ceir.tables.declaration import Column, Table

TABLE = Table(
    name="devices",
    doc="Everything seen of an equipment identity, folded; the cheap starting point of nearly every fact.",
    grain="one equipment identity seen at least once",
    columns=(
        Column("imei", "BIGINT", "As in `observations`, never null."),
        Column("first_day", "INTEGER", "First day ever seen.", "days since 1970-01-01"),
        Column("last_day", "INTEGER", "Last day ever seen.", "days since 1970-01-01"),
        Column("rats", "INTEGER", "Radio technologies ever seen.", "mask of ceir.identifiers.rat"),
        Column("imsi_low", "BIGINT", "Smallest IMSI seen with it.", personal=True),
        Column(
            "imsi_high",
            "BIGINT",
            "Largest IMSI seen with it; differs from the smallest: several.",
            personal=True,
        ),
        Column("msisdn_low", "BIGINT", "Smallest MSISDN seen with it.", personal=True),
        Column("msisdn_high", "BIGINT", "Largest MSISDN seen with it.", personal=True),
    ),
    key=("imei",),
    retention="subscriber",
)
