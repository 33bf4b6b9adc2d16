"""Areas, far apart, in which its subscribers spent the same nights at home; 1: only one is known, 0: none."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED, counted_sql
from ceir.facts.declaration import WINDOW, Fact

# Of homes far apart a square of their place on the globe says which are the same area; at the edge of two
# squares one area may count as two, but homes that are not far apart never do.
_SQUARE = "(p.x + 10000000) // 30000 * 1000000 + (p.y + 10000000) // 30000 * 1000 + (p.z + 10000000) // 30000"
_HOMES = " UNION ".join(f"SELECT imei, home_{side} AS home FROM {{separate_homes}}" for side in "ab")

FACT = Fact(
    name="home_areas",
    title="Separate home areas",
    doc="Areas, far apart, in which its subscribers spent the same nights at home; 1: only one is "
    "known, 0: none.",
    type="INTEGER",
    query=counted_sql(
        "SELECT h.imei, CASE WHEN COUNT(DISTINCT s.square) > 1 THEN COUNT(DISTINCT s.square) "
        "WHEN COUNT(s.square) > 0 THEN 2 ELSE 1 END AS value "
        "FROM (SELECT DISTINCT imei FROM {homes}) AS h LEFT JOIN ("
        f"SELECT s.imei, {_SQUARE} AS square FROM ({_HOMES}) AS s JOIN {{places}} AS p ON p.place = s.home) "
        "AS s ON s.imei = h.imei GROUP BY h.imei",
        located=True,
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment", "homes", "separate_homes", "places"),
    parameters=WINDOW,
    unit="areas",
    reads=("cells",),
)
