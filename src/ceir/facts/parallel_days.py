"""Days of the window on which two or more valid IMSIs were seen with it."""

from ceir.facts._evidence import WHO_USED_IT
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="parallel_days",
    title="Days with several subscribers",
    doc="Days of the window on which two or more valid IMSIs were seen with it.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(BIT_COUNT(beside)) AS INTEGER) AS value FROM ("
        "SELECT imei, month, BIT_OR(beside) AS beside FROM {uses_days} GROUP BY imei, month) AS months "
        "GROUP BY imei"
    ),
    otherwise="0",
    workings=("uses_days",),
    parameters=WINDOW,
    unit="days",
    evidence=WHO_USED_IT,
)
