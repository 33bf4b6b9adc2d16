"""Days of the window on which it was used after it had been scrapped."""

from ceir.facts._days import unpacked_sql
from ceir.facts.declaration import WINDOW, Fact

_MONTHS = (
    "SELECT r.imei, s.scrapped_on, r.month_start, BIT_OR(r.day_mask) AS day_mask FROM {rows} AS r "
    "JOIN scrapped AS s ON s.imei = r.imei GROUP BY r.imei, s.scrapped_on, r.month_start"
)

FACT = Fact(
    name="used_after_scrapping",
    title="Days used after scrapping",
    doc="Days of the window on which it was used, after the day it was scrapped; 0: it was not.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(COUNT(*) AS INTEGER) AS value FROM "
        f"({unpacked_sql(_MONTHS, 'imei, scrapped_on')}) AS days WHERE day > scrapped_on GROUP BY imei"
    ),
    otherwise="0",
    rows="all",
    parameters=WINDOW,
    reads=("scrapped",),
    unit="days",
)
