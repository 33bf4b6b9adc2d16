"""Where cells stand, as coordinates that distances are computed from."""

from ceir.facts.declaration import Context
from ceir.tables import Column
from ceir.workings._globe import places_sql
from ceir.workings.declaration import Working

CELL_RADIUS_M = 5_000


def _query(c: Context) -> str:
    cells = (
        "SELECT CAST(ROW_NUMBER() OVER (ORDER BY cell) AS INTEGER) AS place, cell, latitude, longitude, "
        f"COALESCE(radius_m, {c.parameters['cell_radius_m']}) AS radius_m FROM cells"
    )
    return (
        "SELECT place, cell, latitude, longitude, CAST(radius_m AS INTEGER) AS radius_m, x, y, z "
        f"FROM ({places_sql(cells)}) AS placed"
    )


WORKING = Working(
    name="places",
    title="Places",
    doc="Where cells stand, as coordinates from the middle of the Earth.",
    grain="one cell",
    columns=(
        Column("place", "INTEGER", "Number of the cell in the order of their names."),
        Column("cell", "VARCHAR", "The cell."),
        Column("latitude", "INTEGER", "Degrees north.", "millionths of a degree"),
        Column("longitude", "INTEGER", "Degrees east.", "millionths of a degree"),
        Column("radius_m", "INTEGER", "How far from there equipment may be.", "metres"),
        Column("x", "INTEGER", "Towards 0 degrees north, 0 degrees east.", "metres"),
        Column("y", "INTEGER", "Towards 0 degrees north, 90 degrees east.", "metres"),
        Column("z", "INTEGER", "Towards the north pole.", "metres"),
    ),
    query=_query,
    may_read=("cells",),
    parameters=("cell_radius_m",),
    defaults={"cell_radius_m": CELL_RADIUS_M},
)
