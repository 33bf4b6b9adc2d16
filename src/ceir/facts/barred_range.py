"""First and last identity of a barred range that the identity lies in; `none`: it lies in none."""

from ceir.facts._ranges import in_ranges_sql
from ceir.facts.declaration import Fact

FACT = Fact(
    name="barred_range",
    title="Barred range",
    doc="First and last identity of a barred range that it lies in, of several the one that reaches "
    "furthest; `none`: it lies in none.",
    type="VARCHAR",
    query=(
        "SELECT imei, LPAD(CAST(first_imei AS VARCHAR), 14, '0') || '-' || "
        "LPAD(CAST(last_imei AS VARCHAR), 14, '0') AS value "
        f"FROM ({in_ranges_sql('subjects', 'barred_ranges')}) AS inside"
    ),
    otherwise="'none'",
    reads=("barred-ranges",),
)
