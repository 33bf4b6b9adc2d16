"""Day customs released the import; null: not released, or not imported."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="released_on",
    title="Released on",
    doc="Day customs released the import; null: not released, or not imported.",
    type="INTEGER",
    query="SELECT imei, released_on AS value FROM imports",
    otherwise="NULL",
    reads=("imports",),
    show="day",
    unit="days since 1970-01-01",
)
