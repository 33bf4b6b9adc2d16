"""On which days each subscriber used an identity that has several."""

from ceir.facts.declaration import VALID_IMSI, WINDOW
from ceir.tables import Column
from ceir.workings._beside import beside_sql
from ceir.workings.declaration import Working

_USES = (
    "SELECT imei, imsi, month, month_start, CAST(BIT_OR(day_mask) AS INTEGER) AS day_mask FROM {rows} "
    f"WHERE {VALID_IMSI} AND imei IN (SELECT imei FROM {{rows}} WHERE {VALID_IMSI} "
    "GROUP BY imei HAVING MIN(imsi) <> MAX(imsi)) GROUP BY imei, imsi, month, month_start"
)

WORKING = Working(
    name="uses_days",
    title="Days of use",
    doc="On which days each subscriber used an identity that two or more valid IMSIs were seen with in the "
    "window.",
    grain="(imei, imsi, month)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("month", "INTEGER", "Calendar month.", "yyyymm"),
        Column("month_start", "INTEGER", "Its first day.", "days since 1970-01-01"),
        Column("day_mask", "INTEGER", "Bit d-1 is set when used on day d of the month.", "31-bit mask"),
        Column("beside", "INTEGER", "Of these the days on which another IMSI was seen too.", "31-bit mask"),
    ),
    query=beside_sql(_USES, "imsi"),
    rows="shared",
    parameters=WINDOW,
)
