"""Cells between which one subscriber himself travelled impossibly: they, or their clocks, are wrong."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import CLOCK_SKEW_SECONDS, LIMIT_KMH, beyond_sql, speed_sql
from ceir.workings.declaration import Working


def _query(c: Context) -> str:
    skew, limit = c.parameters["clock_skew_seconds"], c.parameters["limit_kmh"]
    steps = (
        "SELECT imei, started_at, place, LAG(place) OVER (PARTITION BY imei, imsi ORDER BY started_at, "
        "ended_at, place) AS before, LAG(ended_at) OVER (PARTITION BY imei, imsi ORDER BY started_at, "
        "ended_at, place) AS left_at FROM {sighted} WHERE place IS NOT NULL"
    )
    seconds = f"GREATEST(GREATEST(s.started_at - s.left_at, 0) + {skew}, 1)"
    beyond = beyond_sql(distance_sql("a", "b"), "a", "b")
    jumps = (
        f"SELECT s.imei, s.place, s.before FROM ({steps}) AS s JOIN {{places}} AS a ON a.place = s.before "
        f"JOIN {{places}} AS b ON b.place = s.place WHERE s.place <> s.before AND "
        f"{speed_sql(beyond, seconds)} > {limit}"
    )
    return f"SELECT imei, place FROM ({jumps}) AS j UNION SELECT imei, before AS place FROM ({jumps}) AS j"


WORKING = Working(
    name="doubtful_places",
    title="Doubtful places",
    doc="Cells between which a subscriber of the identity himself travelled impossibly fast: they stand "
    "elsewhere than told, or a clock is wrong. They prove nothing against this identity.",
    grain="(imei, place)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("place", "INTEGER", "The cell in `places`."),
    ),
    query=_query,
    workings=("sighted", "places"),
    parameters=(*WINDOW, "limit_kmh", "clock_skew_seconds"),
    defaults={"limit_kmh": LIMIT_KMH, "clock_skew_seconds": CLOCK_SKEW_SECONDS},
)
