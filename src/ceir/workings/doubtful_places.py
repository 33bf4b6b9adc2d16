"""Cells that prove nothing against an identity: one subscriber of it shows that they may stand elsewhere."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import CLOCK_SKEW_SECONDS, LIMIT_KMH, beyond_sql, speed_sql
from ceir.workings.declaration import Working

AREA_KM = 15
"""How far apart cells of one area are, at most."""


def _query(c: Context) -> str:
    p = c.parameters
    skew, limit, area = p["clock_skew_seconds"], p["limit_kmh"], int(str(p["area_km"])) * 1000
    steps = (
        "SELECT imei, imsi, started_at, place, LAG(place) OVER (PARTITION BY imei, imsi ORDER BY started_at, "
        "ended_at, place) AS before, LAG(ended_at) OVER (PARTITION BY imei, imsi ORDER BY started_at, "
        "ended_at, place) AS left_at FROM {sighted} WHERE place IS NOT NULL"
    )
    beyond = beyond_sql(distance_sql("a", "b"), "a", "b")
    moves = (
        f"SELECT s.imei, s.place, s.before, {beyond} AS beyond, "
        f"GREATEST(GREATEST(s.started_at - s.left_at, 0) + {skew}, 1) AS seconds FROM ({steps}) AS s "
        "JOIN {places} AS a ON a.place = s.before JOIN {places} AS b ON b.place = s.place "
        "WHERE s.place <> s.before"
    )
    ends = " UNION ALL ".join(
        f"SELECT imei, {end} AS place, beyond, {speed_sql('beyond', 'seconds')} AS speed_kmh "
        f"FROM ({moves}) AS moves"
        for end in ("place", "before")
    )
    return (
        f"SELECT imei, place FROM ({ends}) AS ends GROUP BY imei, place "
        f"HAVING MIN(beyond) > {area} OR MAX(speed_kmh) > {limit}"
    )


WORKING = Working(
    name="doubtful_places",
    title="Doubtful places",
    doc="Cells between which a subscriber of the identity himself travelled impossibly fast, and cells that "
    "are far from every other cell that its subscribers, each by himself, came from or went to next: they "
    "may stand elsewhere than told, or a clock is wrong. They prove nothing against this identity. "
    "A subscriber who was never sighted in another cell makes none doubtful.",
    grain="(imei, place)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("place", "INTEGER", "The cell in `places`."),
    ),
    query=_query,
    workings=("sighted", "places"),
    parameters=(*WINDOW, "limit_kmh", "clock_skew_seconds", "area_km"),
    defaults={"limit_kmh": LIMIT_KMH, "clock_skew_seconds": CLOCK_SKEW_SECONDS, "area_km": AREA_KM},
)
