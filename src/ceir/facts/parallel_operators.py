"""Most operators that reported it with a valid IMSI on one day of the window."""

from ceir.facts._days import unpacked_sql
from ceir.facts.declaration import VALID_IMSI, WINDOW, Fact

_MONTHS = (
    "SELECT imei, operator, month_start, BIT_OR(day_mask) AS day_mask FROM {rows} "
    f"WHERE {VALID_IMSI} AND imei IN (SELECT imei FROM {{rows}} WHERE {VALID_IMSI} "
    "GROUP BY imei HAVING MIN(operator) <> MAX(operator)) GROUP BY imei, operator, month_start"
)

FACT = Fact(
    name="parallel_operators",
    title="Operators on one day",
    doc="Most operators that reported it with a valid IMSI on one day of the window; at least 1.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(MAX(operators) AS INTEGER) AS value FROM (SELECT imei, day, COUNT(*) AS operators "
        f"FROM ({unpacked_sql(_MONTHS, 'imei')}) AS days GROUP BY imei, day) AS days GROUP BY imei"
    ),
    otherwise="1",
    rows="shared",
    parameters=WINDOW,
    unit="operators",
)
