"""Days (UTC) with sightings, of an identity that several subscribers were sighted with."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="sighted_days",
    title="Days sighted",
    doc="Days (UTC) with sightings, of an identity that several subscribers were sighted with.",
    type="INTEGER",
    query="SELECT imei, days AS value FROM {sighted_equipment}",
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment",),
    parameters=WINDOW,
    unit="days",
)
