"""Day it was scrapped; null: it was not."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="scrapped_on",
    title="Scrapped on",
    doc="Day it was scrapped; null: it was not.",
    type="INTEGER",
    query="SELECT imei, scrapped_on AS value FROM scrapped",
    otherwise="NULL",
    reads=("scrapped",),
    show="day",
    unit="days since 1970-01-01",
)
