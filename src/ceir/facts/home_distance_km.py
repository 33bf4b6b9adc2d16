"""Greatest distance between homes, far apart, in which two of its subscribers spent the same nights, edge
to edge of their cells; 0: there are none."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="home_distance_km",
    title="Distance of homes",
    doc="Greatest distance between homes, far apart, in which two of its subscribers spent the same "
    "nights, edge to edge of their cells; 0: there are none.",
    type="INTEGER",
    query=counted_sql(
        "SELECT imei, MAX(distance_m) // 1000 AS value FROM {separate_homes} GROUP BY imei", located=True
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "separate_homes", "places"),
    parameters=WINDOW,
    unit="km",
    reads=("cells",),
    evidence=Evidence(
        title="Homes far apart on the same nights",
        query=(
            "SELECT s.imei, s.imsi_a, a.cell AS cell_a, s.imsi_b, b.cell AS cell_b, s.nights, s.distance_m "
            "FROM {separate_homes} AS s JOIN {places} AS a ON a.place = s.home_a "
            "JOIN {places} AS b ON b.place = s.home_b"
        ),
        columns=(
            ("imsi_a", "subscriber", "subscriber"),
            ("cell_a", "lives at", "plain"),
            ("imsi_b", "and subscriber", "subscriber"),
            ("cell_b", "lives at", "plain"),
            ("nights", "nights both at home", "plain"),
            ("distance_m", "distance", "metres"),
        ),
    ),
)
