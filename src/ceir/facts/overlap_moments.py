"""Times that two of its subscribers were on air at the same moment, wherever they were."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="overlap_moments",
    title="Overlapping sightings",
    doc="Times that two of its subscribers were on air at the same moment, wherever they were.",
    type="INTEGER",
    query=counted_sql("SELECT imei, COUNT(*) AS value FROM {meetings} WHERE at_once GROUP BY imei"),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "meetings"),
    parameters=WINDOW,
    unit="times",
)
