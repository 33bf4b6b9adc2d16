"""On which days each registered person used an identity that has several subscribers."""

from ceir.facts.declaration import WINDOW
from ceir.tables import Column
from ceir.workings._beside import beside_sql
from ceir.workings.declaration import Working

_USES = (
    "SELECT u.imei, s.uid, u.month, u.month_start, CAST(BIT_OR(u.day_mask) AS INTEGER) AS day_mask "
    "FROM {uses_days} AS u JOIN subscribers AS s ON s.imsi = u.imsi "
    "GROUP BY u.imei, s.uid, u.month, u.month_start"
)

WORKING = Working(
    name="person_uses",
    title="Days of use by persons",
    doc="On which days each registered person used an identity that two or more valid IMSIs were seen with "
    "in the window; IMSIs of nobody are left out.",
    grain="(imei, uid, month)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("uid", "VARCHAR", "The person.", personal=True),
        Column("month", "INTEGER", "Calendar month.", "yyyymm"),
        Column("month_start", "INTEGER", "Its first day.", "days since 1970-01-01"),
        Column("day_mask", "INTEGER", "Bit d-1 is set when used on day d of the month.", "31-bit mask"),
        Column("beside", "INTEGER", "Of these the days on which another person was seen too.", "31-bit mask"),
    ),
    query=beside_sql(_USES, "uid"),
    reads=("subscribers",),
    workings=("uses_days",),
    parameters=WINDOW,
)
