"""Subscribers of one identity who spent the same nights at homes far apart."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import beyond_sql
from ceir.workings.declaration import Working
from ceir.workings.home_nights import LEAST_NIGHTS

SEPARATE_KM = 30


def _query(c: Context) -> str:
    p = c.parameters
    apart = int(str(p["separate_km"])) * 1000
    # Of each night, everybody is compared with the first: of thousands, not each with each.
    pairs = (
        "SELECT imei, imsi_a, imsi_b, home_a, home_b, COUNT(*) AS nights FROM ("
        "SELECT imei, imsi AS imsi_b, home AS home_b, "
        "FIRST_VALUE(imsi) OVER (PARTITION BY imei, night ORDER BY imsi) AS imsi_a, "
        "FIRST_VALUE(home) OVER (PARTITION BY imei, night ORDER BY imsi) AS home_a FROM {home_nights}) AS n "
        "WHERE imsi_a <> imsi_b GROUP BY imei, imsi_a, imsi_b, home_a, home_b"
    )
    return (
        "SELECT imei, imsi_a, imsi_b, home_a, home_b, CAST(nights AS INTEGER) AS nights, "
        "CAST(beyond AS INTEGER) AS distance_m FROM (SELECT n.*, "
        f"{beyond_sql(distance_sql('a', 'b'), 'a', 'b')} AS beyond FROM ({pairs}) AS n "
        "JOIN {places} AS a ON a.place = n.home_a JOIN {places} AS b ON b.place = n.home_b) AS measured "
        f"WHERE nights >= {p['least_nights']} AND beyond >= {apart}"
    )


WORKING = Working(
    name="separate_homes",
    title="Separate homes",
    doc="Subscribers of one identity who spent the same nights at homes far apart, on several nights. Of "
    "each night everybody is compared with the subscriber of the lowest IMSI.",
    grain="(imei, imsi_a, imsi_b)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi_a", "BIGINT", "One subscriber.", personal=True),
        Column("imsi_b", "BIGINT", "The other.", personal=True),
        Column("home_a", "INTEGER", "The one's home in `places`."),
        Column("home_b", "INTEGER", "The other's home in `places`."),
        Column("nights", "INTEGER", "Nights that both spent at home.", "nights"),
        Column("distance_m", "INTEGER", "Between the near edges of both cells.", "metres"),
    ),
    query=_query,
    workings=("home_nights", "places"),
    parameters=(*WINDOW, "separate_km", "least_nights"),
    defaults={"separate_km": SEPARATE_KM, "least_nights": LEAST_NIGHTS},
)
