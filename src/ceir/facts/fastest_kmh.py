"""The highest of the least speeds that would explain its impossible journeys; 0: there was none."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="fastest_kmh",
    title="Fastest impossible journey",
    doc="The highest of the least speeds that would explain its impossible journeys; 0: there was none.",
    type="INTEGER",
    query=counted_sql(
        "SELECT imei, MAX(speed_kmh) AS value FROM {meetings} WHERE kind = 'journey' GROUP BY imei",
        located=True,
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "meetings"),
    parameters=WINDOW,
    unit="km/h",
    reads=("cells",),
)
