"""Day the network last saw the equipment; null: never seen."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="last_seen",
    title="Last seen",
    doc="Day the network last saw the equipment; null: never seen.",
    type="INTEGER",
    expression="last_day",
    show="day",
    unit="days since 1970-01-01",
)
