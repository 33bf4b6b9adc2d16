"""On which days each steady subscriber used an identity."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._beside import beside_sql
from ceir.workings.declaration import Working

STEADY_PERCENT = 40
"""A line that is in use is seen on most days; one that is tried out, borrowed or repaired is not."""


def _query(c: Context) -> str:
    days = c.end - (c.start or 0)
    uses = (
        "SELECT u.imei, u.imsi, u.month, u.month_start, u.day_mask FROM {uses_days} AS u "
        "JOIN (SELECT imei, imsi FROM {uses_days} GROUP BY imei, imsi HAVING SUM(BIT_COUNT(day_mask)) * 100 "
        f">= {c.parameters['steady_percent']} * {days}) AS k ON k.imei = u.imei AND k.imsi = u.imsi"
    )
    return beside_sql(uses, "imsi")


WORKING = Working(
    name="steady_uses",
    title="Days of steady use",
    doc="On which days each subscriber used an identity whom it was seen with on a good share of the "
    "window's days.",
    grain="(imei, imsi, month)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Steady subscriber.", personal=True),
        Column("month", "INTEGER", "Calendar month.", "yyyymm"),
        Column("month_start", "INTEGER", "Its first day.", "days since 1970-01-01"),
        Column("day_mask", "INTEGER", "Bit d-1 is set when used on day d of the month.", "31-bit mask"),
        Column(
            "beside", "INTEGER", "Of these the days on which another steady IMSI was seen too.", "31-bit mask"
        ),
    ),
    query=_query,
    workings=("uses_days",),
    parameters=(*WINDOW, "steady_percent"),
    defaults={"steady_percent": STEADY_PERCENT},
)
