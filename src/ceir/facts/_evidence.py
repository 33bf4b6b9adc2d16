"""Rows of evidence that several facts share."""

from ceir.facts._days import DAYS_OF_MONTH
from ceir.facts.declaration import Evidence

WHO_USED_IT = Evidence(
    title="Who used it in the window",
    query=(
        "SELECT imei, imsi, MIN(day) AS first_day, MAX(day) AS last_day, COUNT(*) AS days, "
        "SUM(other) AS beside FROM (SELECT imei, imsi, month_start + day_bit AS day, "
        "CASE WHEN (beside & bit) <> 0 THEN 1 ELSE 0 END AS other FROM {uses_days} "
        f"CROSS JOIN ({DAYS_OF_MONTH}) AS bits WHERE (day_mask & bit) <> 0) AS days GROUP BY imei, imsi"
    ),
    columns=(
        ("imsi", "subscriber", "subscriber"),
        ("first_day", "first day", "day"),
        ("last_day", "last day", "day"),
        ("days", "days", "plain"),
        ("beside", "of these beside another", "plain"),
    ),
)
"""Of facts that read the working `uses_days`."""
