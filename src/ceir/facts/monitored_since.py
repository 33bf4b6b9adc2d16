"""Day the identity came on the monitored list; null: it is not on it."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="monitored_since",
    title="Monitored since",
    doc="Day the identity came on the monitored list; null: it is not on it.",
    type="INTEGER",
    query="SELECT imei, since AS value FROM monitored",
    otherwise="NULL",
    reads=("monitored",),
    show="day",
    unit="days since 1970-01-01",
)
