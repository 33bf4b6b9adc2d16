"""Subscribers who use it steadily, side by side with another who does."""

from ceir.facts._evidence import WHO_USED_IT
from ceir.facts.declaration import WINDOW, Fact

BESIDE_DAYS = 5

FACT = Fact(
    name="steady_subscribers",
    title="Steady subscribers side by side",
    doc="Valid IMSIs seen with it on a good share of the window's days and, on at least so many days, beside "
    "another that was: neither a resale nor a changed SIM card nor a repair makes two.",
    type="INTEGER",
    query=lambda c: (
        "SELECT imei, CAST(COUNT(*) AS INTEGER) AS value FROM (SELECT imei, imsi FROM {steady_uses} "
        f"GROUP BY imei, imsi HAVING SUM(BIT_COUNT(beside)) >= {c.parameters['beside_days']}) AS steady "
        "GROUP BY imei"
    ),
    otherwise="0",
    workings=("steady_uses", "uses_days"),
    parameters=(*WINDOW, "beside_days"),
    defaults={"beside_days": BESIDE_DAYS},
    unit="subscribers",
    evidence=WHO_USED_IT,
)
