"""True when the regulator bars this identity."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="barred",
    title="Barred",
    doc="True when the regulator bars this identity.",
    type="BOOLEAN",
    query="SELECT imei, TRUE AS value FROM barred",
    otherwise="FALSE",
    reads=("barred",),
)
