"""True when a report of theft or loss in another country is in force."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="stolen_abroad",
    title="Reported stolen abroad",
    doc="True when a report of theft or loss in another country is in force.",
    type="BOOLEAN",
    query="SELECT imei, TRUE AS value FROM stolen_foreign WHERE status IS NULL OR status = 'blacklist'",
    otherwise="FALSE",
    reads=("stolen-foreign",),
)
