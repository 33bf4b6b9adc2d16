"""Different IMSIs of the country's own operators, seen with it in the window, that belong to no registered
person."""

from ceir.facts._networks import home_network
from ceir.facts.declaration import VALID_IMSI, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(COUNT(DISTINCT imsi) AS INTEGER) AS value FROM {rows} "
        f"WHERE {VALID_IMSI} AND {home_network(c)} "
        "AND imsi NOT IN (SELECT imsi FROM subscribers) GROUP BY imei"
    )


FACT = Fact(
    name="unregistered_imsis",
    title="Unregistered subscriptions",
    doc="Different IMSIs of the country's own operators, seen with it in the window, that belong to no "
    "registered person.",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="all",
    parameters=("window_days",),
    reads=("subscribers",),
)
