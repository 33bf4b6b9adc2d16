"""True when an importer declared the identity."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="imported",
    title="On an import list",
    doc="True when an importer declared the identity.",
    type="BOOLEAN",
    query="SELECT imei, TRUE AS value FROM imports",
    otherwise="FALSE",
    reads=("imports",),
)
