"""Different IMSIs of other countries seen with it in the window."""

from ceir.facts._networks import home_country
from ceir.facts.declaration import VALID_IMSI, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(COUNT(DISTINCT imsi) AS INTEGER) AS value FROM {rows} "
        f"WHERE {VALID_IMSI} AND NOT {home_country(c)} GROUP BY imei"
    )


FACT = Fact(
    name="international_roamer_imsis",
    title="International roamers",
    doc="Different IMSIs of other countries seen with it in the window.",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="all",
    parameters=("look_back_days",),
)
