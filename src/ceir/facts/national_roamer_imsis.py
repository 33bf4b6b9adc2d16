"""Different IMSIs of the country, but of none of the operators in the policy, seen with it in the window."""

from ceir.facts._networks import home_country, home_network
from ceir.facts.declaration import VALID_IMSI, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(COUNT(DISTINCT imsi) AS INTEGER) AS value FROM {rows} "
        f"WHERE {VALID_IMSI} AND {home_country(c)} AND NOT {home_network(c)} GROUP BY imei"
    )


FACT = Fact(
    name="national_roamer_imsis",
    title="National roamers",
    doc="Different IMSIs of the country, but of none of the operators in the policy, seen with it in the "
    "window.",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="all",
    parameters=("look_back_days",),
)
