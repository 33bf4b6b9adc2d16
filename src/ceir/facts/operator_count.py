"""Different operators that reported it in the period."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="operator_count",
    title="Operators",
    doc="Different operators that reported it in the period.",
    type="INTEGER",
    query="SELECT imei, CAST(COUNT(DISTINCT operator) AS INTEGER) AS value FROM {rows} GROUP BY imei",
    otherwise="0",
    rows="shared",
    parameters=("period_days",),
)
