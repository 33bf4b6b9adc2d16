"""Days (UTC) on which two of its subscribers were on air at the same moment, wherever they were."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="overlap_days",
    title="Days with overlapping sightings",
    doc="Days (UTC) on which two of its subscribers were on air at the same moment, wherever they were.",
    type="INTEGER",
    query=counted_sql(
        "SELECT imei, COUNT(DISTINCT day) AS value FROM {meetings} WHERE at_once GROUP BY imei"
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "meetings", "places"),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Subscribers on air at the same moment",
        query=(
            "SELECT m.imei, m.imsi_a, m.imsi_b, m.started_at, m.seconds, a.cell AS cell_a, b.cell AS cell_b, "
            "m.distance_m, m.speed_kmh FROM {meetings} AS m LEFT JOIN {places} AS a ON a.place = m.place_a "
            "LEFT JOIN {places} AS b ON b.place = m.place_b WHERE m.at_once"
        ),
        columns=(
            ("started_at", "second one since", "moment"),
            ("imsi_a", "subscriber", "subscriber"),
            ("cell_a", "in cell", "plain"),
            ("imsi_b", "and subscriber", "subscriber"),
            ("cell_b", "in cell", "plain"),
            ("seconds", "seconds between", "plain"),
            ("distance_m", "distance", "metres"),
            ("speed_kmh", "km/h at least", "plain"),
        ),
    ),
)
