"""Days from its first use to the release of its import."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="days_before_release",
    title="Days before release",
    doc="Days from the day it was first seen to the day customs released it, or where customs did not, to "
    "the day after it was last seen; 0: not before; null: on no import list.",
    type="INTEGER",
    query=(
        "SELECT e.imei, CAST(CASE WHEN COALESCE(i.released_on, e.last_day + 1) > e.first_day "
        "THEN COALESCE(i.released_on, e.last_day + 1) - e.first_day ELSE 0 END AS INTEGER) AS value "
        "FROM imports AS i JOIN subjects AS e ON e.imei = i.imei WHERE e.first_day IS NOT NULL"
    ),
    otherwise="NULL",
    reads=("imports",),
    unit="days",
)
