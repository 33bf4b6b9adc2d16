"""True when a report of theft or loss in the country is in force."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="stolen",
    title="Reported stolen",
    doc="True when a report of theft or loss in the country is in force.",
    type="BOOLEAN",
    query="SELECT imei, TRUE AS value FROM stolen WHERE status IS NULL OR status = 'blacklist'",
    otherwise="FALSE",
    reads=("stolen",),
)
