"""Different IMSIs of the country's own operators seen with it in the window."""

from ceir.facts._networks import home_network
from ceir.facts.declaration import VALID_IMSI, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(COUNT(DISTINCT imsi) AS INTEGER) AS value FROM {rows} "
        f"WHERE {VALID_IMSI} AND {home_network(c)} GROUP BY imei"
    )


FACT = Fact(
    name="home_imsis",
    title="Home subscribers",
    doc="Different IMSIs of the country's own operators seen with it in the window.",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="all",
    parameters=("look_back_days",),
)
