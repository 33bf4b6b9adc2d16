"""Different pairs of its subscribers who were on air at the same moment or travelled impossibly between
them."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="contradiction_pairs",
    title="Pairs of subscribers in contradiction",
    doc="Different pairs of its subscribers who were on air at the same moment or travelled "
    "impossibly between them.",
    type="INTEGER",
    query=counted_sql(
        "SELECT imei, COUNT(*) AS value FROM (SELECT DISTINCT imei, LEAST(imsi_a, imsi_b) AS low, "
        "GREATEST(imsi_a, imsi_b) AS high FROM {meetings}) AS pairs GROUP BY imei"
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "meetings"),
    parameters=WINDOW,
    unit="pairs",
)
