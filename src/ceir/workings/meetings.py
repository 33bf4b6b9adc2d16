"""Contradictions between a sighting of an identity and the one before it, by another subscriber."""

from ceir.facts.declaration import WINDOW, Context
from ceir.tables import Column
from ceir.workings._globe import distance_sql
from ceir.workings._journeys import (
    CLOCK_SKEW_BETWEEN_SECONDS,
    CLOCK_SKEW_SECONDS,
    LIMIT_KMH,
    speed_sql,
)
from ceir.workings.declaration import Working

OVERLAP_SECONDS = 60
SWAP_SECONDS = 0


def _steps(partition: str, source: str) -> str:
    window = f"OVER (PARTITION BY {partition} ORDER BY started_at, ended_at, imsi, place)"
    before = ", ".join(
        f"LAG({column}) {window} AS {name}"
        for column, name in (
            ("imsi", "imsi_a"),
            ("ended_at", "left_at"),
            ("place", "place_a"),
            ("operator", "operator_a"),
        )
    )
    return f"SELECT imei, operator, imsi, started_at, place, {before} FROM {source}"


def _query(c: Context) -> str:
    p = c.parameters
    limit, swap, overlap = p["limit_kmh"], p["swap_seconds"], p["overlap_seconds"]
    # Within an operator first; across operators only what two of them saw.
    several = (
        "(SELECT * FROM {sighted} WHERE imei IN (SELECT imei FROM {sighted} GROUP BY imei "
        "HAVING MIN(operator) <> MAX(operator))) AS several"
    )
    steps = (
        f"SELECT *, {p['clock_skew_seconds']} AS skew FROM ({_steps('imei, operator', '{sighted}')}) AS one "
        "WHERE imsi <> imsi_a UNION ALL "
        f"SELECT *, {p['clock_skew_between_seconds']} AS skew FROM ({_steps('imei', several)}) AS two "
        "WHERE imsi <> imsi_a AND operator <> operator_a"
    )
    paired = (
        "SELECT s.imei, s.imsi_a, s.imsi AS imsi_b, CAST(s.started_at // 86400 AS INTEGER) AS day, "
        "s.started_at, s.started_at - s.left_at AS seconds, s.skew, a.place AS place_a, b.place AS place_b, "
        f"a.radius_m + b.radius_m AS reach, {distance_sql('a', 'b')} AS distance_m FROM ({steps}) AS s "
        "LEFT JOIN {doubtful_places} AS da ON da.imei = s.imei AND da.place = s.place_a "
        "LEFT JOIN {doubtful_places} AS db ON db.imei = s.imei AND db.place = s.place "
        "LEFT JOIN {places} AS a ON a.place = s.place_a AND da.place IS NULL "
        "LEFT JOIN {places} AS b ON b.place = s.place AND db.place IS NULL"
    )
    # Two cells that reach each other leave no way to travel.
    beyond = "CASE WHEN distance_m > reach THEN distance_m - reach WHEN distance_m >= 0 THEN 0 END"
    seconds = f"GREATEST(GREATEST(seconds, 0) + skew - {swap}, 1)"
    return (
        "SELECT imei, imsi_a, imsi_b, day, started_at, "
        f"CASE WHEN speed_kmh > {limit} THEN 'journey' ELSE 'overlap' END AS kind, "
        "at_once, CAST(seconds AS INTEGER) AS seconds, place_a, place_b, "
        "CAST(distance_m AS INTEGER) AS distance_m, CAST(speed_kmh AS INTEGER) AS speed_kmh FROM ("
        f"SELECT *, seconds < {swap} - {overlap} - skew AS at_once, {speed_sql(f'({beyond})', seconds)} AS "
        f"speed_kmh FROM ({paired}) AS paired) AS pairs WHERE at_once OR speed_kmh > {limit}"
    )


WORKING = Working(
    name="meetings",
    title="Meetings",
    doc="Contradictions between a sighting of an identity and the one before it, if that was of another "
    "subscriber: `overlap`, both were on air at the same moment; `journey`, no way of travelling is so fast, "
    "even if both were at the near edges of their cells and clocks were out.",
    grain="two sightings, one after the other",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi_a", "BIGINT", "Subscriber of the earlier sighting.", personal=True),
        Column("imsi_b", "BIGINT", "Subscriber of the later sighting.", personal=True),
        Column("day", "INTEGER", "Day (UTC) of the later one.", "days since 1970-01-01"),
        Column("started_at", "BIGINT", "Its start.", "seconds since 1970-01-01 UTC"),
        Column("kind", "VARCHAR", "`journey`, also where both overlap; else `overlap`."),
        Column("at_once", "BOOLEAN", "Both were on air at the same moment."),
        Column("seconds", "INTEGER", "From the end of the earlier to the start of the later one.", "seconds"),
        Column("place_a", "INTEGER", "Where the earlier one was; null: nobody knows, or it is doubtful."),
        Column("place_b", "INTEGER", "Where the later one was; null: nobody knows, or it is doubtful."),
        Column("distance_m", "INTEGER", "Between the middles of both cells.", "metres"),
        Column("speed_kmh", "INTEGER", "The least speed that explains both.", "km/h"),
    ),
    query=_query,
    workings=("sighted", "places", "doubtful_places"),
    parameters=(
        *WINDOW,
        "limit_kmh",
        "clock_skew_seconds",
        "clock_skew_between_seconds",
        "swap_seconds",
        "overlap_seconds",
    ),
    defaults={
        "limit_kmh": LIMIT_KMH,
        "clock_skew_seconds": CLOCK_SKEW_SECONDS,
        "clock_skew_between_seconds": CLOCK_SKEW_BETWEEN_SECONDS,
        "swap_seconds": SWAP_SECONDS,
        "overlap_seconds": OVERLAP_SECONDS,
    },
)
