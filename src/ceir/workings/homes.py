"""Where a subscriber of a shared identity lives."""

from ceir.facts.declaration import WINDOW
from ceir.tables import Column
from ceir.workings.declaration import Working

WORKING = Working(
    name="homes",
    title="Homes",
    doc="Where a subscriber of an identity lives, if he spends most of his nights in one area.",
    grain="(imei, imsi)",
    columns=(
        Column("imei", "BIGINT", "Equipment identity."),
        Column("imsi", "BIGINT", "Subscriber.", personal=True),
        Column("place", "INTEGER", "The cell of his home in `places`."),
        Column("latitude", "INTEGER", "Degrees north.", "millionths of a degree"),
        Column("longitude", "INTEGER", "Degrees east.", "millionths of a degree"),
        Column("radius_m", "INTEGER", "How far from there he may live.", "metres"),
        Column("nights", "INTEGER", "Nights at home in the window.", "nights"),
    ),
    query=(
        "SELECT h.imei, h.imsi, p.place, p.latitude, p.longitude, p.radius_m, MAX(h.nights) AS nights "
        "FROM {home_nights} AS h JOIN {places} AS p ON p.place = h.home "
        "GROUP BY h.imei, h.imsi, p.place, p.latitude, p.longitude, p.radius_m"
    ),
    workings=("home_nights", "places"),
    parameters=WINDOW,
)
