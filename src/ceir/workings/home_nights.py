"""The nights that a subscriber of a shared identity spent at home."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import beyond_sql
from ceir.workings.declaration import Working
from ceir.workings.doubtful_places import AREA_KM

NIGHT_FROM_HOUR = 20
NIGHT_HOURS = 10
LEAST_NIGHTS = 3
_MOST = 1 << 31


def _query(c: Context) -> str:
    p = c.parameters
    hour, hours = int(str(p["night_from_hour"])), int(str(p["night_hours"]))
    area, least = int(str(p["area_km"])) * 1000, p["least_nights"]
    since = f"(started_at - {hour * 3600})"
    # The last sighting of a night: who comes home late has come home. One number holds when and where.
    nights = (
        f"SELECT imei, imsi, CAST({since} // 86400 AS INTEGER) AS night, "
        f"CAST(MAX(started_at * {_MOST} + place) % {_MOST} AS INTEGER) AS place FROM {{sighted}} "
        f"WHERE place IS NOT NULL AND {since} % 86400 < {hours * 3600} GROUP BY imei, imsi, {since} // 86400"
    )
    sound = (
        f"SELECT n.imei, n.imsi, n.night, n.place FROM ({nights}) AS n LEFT JOIN {{doubtful_places}} AS d "
        "ON d.imei = n.imei AND d.place = n.place WHERE d.place IS NULL"
    )
    # The cell of most nights, of several the first by name.
    homes = (
        f"SELECT imei, imsi, CAST({_MOST - 1} - MAX(nights * {_MOST} + {_MOST - 1} - place) % {_MOST} AS "
        "INTEGER) AS home, CAST(SUM(nights) AS INTEGER) AS nights FROM ("
        f"SELECT imei, imsi, place, COUNT(*) AS nights FROM ({sound}) AS sound GROUP BY imei, imsi, place) "
        "AS counted GROUP BY imei, imsi"
    )
    near = (
        f"SELECT n.imei, n.imsi, n.night, h.home, h.nights FROM ({sound}) AS n JOIN ({homes}) AS h "
        "ON h.imei = n.imei AND h.imsi = n.imsi JOIN {places} AS a ON a.place = n.place "
        f"JOIN {{places}} AS b ON b.place = h.home "
        f"WHERE {beyond_sql(distance_sql('a', 'b'), 'a', 'b')} <= {area}"
    )
    return (
        "SELECT imei, imsi, night, home, CAST(here AS INTEGER) AS nights FROM ("
        f"SELECT *, COUNT(*) OVER (PARTITION BY imei, imsi) AS here FROM ({near}) AS near) AS counted "
        f"WHERE here >= {least} AND here * 100 >= nights * 60"
    )


WORKING = Working(
    name="home_nights",
    title="Nights at home",
    doc="The nights that a subscriber of an identity spent in his home area: around the cell where he spent "
    "most of his nights. Only of subscribers who spent most of the nights known of them there.",
    grain="(imei, imsi, night)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("night", "INTEGER", "Day (UTC) on which the night began.", "days since 1970-01-01"),
        Column("home", "INTEGER", "The cell of his home in `places`."),
        Column("nights", "INTEGER", "All his nights at home in the window.", "nights"),
    ),
    query=_query,
    workings=("sighted", "places", "doubtful_places"),
    parameters=(*WINDOW, "night_from_hour", "night_hours", "area_km", "least_nights"),
    defaults={
        "night_from_hour": NIGHT_FROM_HOUR,
        "night_hours": NIGHT_HOURS,
        "area_km": AREA_KM,
        "least_nights": LEAST_NIGHTS,
    },
)
