"""True when a person declared the device as his own."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="associated",
    title="Associated",
    doc="True when a person declared the device as his own.",
    type="BOOLEAN",
    query="SELECT DISTINCT imei, TRUE AS value FROM associations",
    otherwise="FALSE",
    reads=("associations",),
)
