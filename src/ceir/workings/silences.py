"""Long times in which nobody used a shared identity."""

from ceir.facts._days import unpacked_sql
from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings.declaration import Working

SHORTEST = 14
"""Days; less than that is a holiday or an empty account."""


def _query(c: Context) -> str:
    months = (
        "SELECT imei, month, month_start, BIT_OR(day_mask) AS day_mask FROM {rows} "
        "GROUP BY imei, month, month_start"
    )
    days = (
        "SELECT imei, day, LAG(day) OVER (PARTITION BY imei ORDER BY day) AS before "
        f"FROM ({unpacked_sql(months, 'imei')}) AS days"
    )
    # The window's first day stands for the day before it: nothing is known of what came before.
    start = c.start
    return (
        "SELECT imei, CAST(day AS INTEGER) AS back_on, CAST(silent AS INTEGER) AS days, whole FROM ("
        f"SELECT d.imei, d.day, d.day - COALESCE(d.before + 1, {start}) AS silent, d.before IS NOT NULL AS "
        f"whole FROM ({days}) AS d JOIN subjects AS s ON s.imei = d.imei "
        f"WHERE d.before IS NOT NULL OR s.first_day < {start}) AS gaps WHERE silent >= {SHORTEST}"
    )


WORKING = Working(
    name="silences",
    title="Silences",
    doc=f"Times of {SHORTEST} days or more in which nobody used an identity that had several subscribers.",
    grain="(imei, back_on)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("back_on", "INTEGER", "First day of use after it.", "days since 1970-01-01"),
        Column("days", "INTEGER", "Days without any use.", "days"),
        Column("whole", "BOOLEAN", "False: it began before the window, and lasted longer than that."),
    ),
    query=_query,
    rows="shared",
    parameters=WINDOW,
)
