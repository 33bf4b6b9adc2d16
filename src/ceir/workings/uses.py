"""What each subscriber did with an identity that has several."""

from ceir.facts._days import first_day_sql
from ceir.facts.declaration import VALID_IMSI, WINDOW
from ceir.tables import Column
from ceir.workings.declaration import Working

_MONTHS = (
    "SELECT imei, imsi, operator, month_start, CAST(BIT_OR(day_mask) AS INTEGER) AS day_mask FROM {rows} "
    f"WHERE {VALID_IMSI} AND imei IN (SELECT imei FROM {{uses_days}}) "
    "GROUP BY imei, imsi, operator, month_start"
)


def _filled(masks: str) -> str:
    """SELECT with `filled`: the mask with ones below its highest bit too, so that they can be counted."""
    columns = "imei, imsi, operator, month_start, day_mask"
    mask = "day_mask"
    for step in (2, 4, 16, 256, 65_536):
        masks = f"SELECT {columns}, {mask} | ({mask} // {step}) AS filled FROM ({masks}) AS masks"
        mask = "filled"
    return masks


WORKING = Working(
    name="uses",
    title="Uses",
    doc="What each subscriber did with an identity that had two or more valid IMSIs in the window.",
    grain="(imei, imsi, operator)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("operator", "VARCHAR", "Operator that reported it."),
        Column("first_day", "INTEGER", "First day in the window.", "days since 1970-01-01"),
        Column("last_day", "INTEGER", "Last day in the window.", "days since 1970-01-01"),
        Column("days", "INTEGER", "Days in the window.", "days"),
    ),
    query=(
        f"SELECT imei, imsi, operator, CAST(MIN(month_start + {first_day_sql('day_mask')}) AS INTEGER) AS "
        "first_day, CAST(MAX(month_start + BIT_COUNT(filled) - 1) AS INTEGER) AS last_day, "
        f"CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS days FROM ({_filled(_MONTHS)}) AS masks "
        "GROUP BY imei, imsi, operator"
    ),
    rows="shared",
    workings=("uses_days",),
    parameters=WINDOW,
)
