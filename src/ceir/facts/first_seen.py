"""Day the network first saw the equipment; null: never seen."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="first_seen",
    title="First seen",
    doc="Day the network first saw the equipment; null: never seen.",
    type="INTEGER",
    expression="first_day",
    show="day",
    unit="days since 1970-01-01",
)
