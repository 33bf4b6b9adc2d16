"""Constant difference of the sorted MSISDNs seen with it in the period; null: fewer than three numbers, or
not evenly spaced."""

from ceir.facts.declaration import VALID_MSISDN, Fact

FACT = Fact(
    name="number_step",
    title="Step of its numbers",
    doc="Constant difference of the sorted MSISDNs seen with it in the period; null: fewer than three "
    "numbers, or not evenly spaced.",
    type="BIGINT",
    query=(
        "SELECT imei, MIN(gap) AS value FROM ("
        "SELECT imei, msisdn - LAG(msisdn) OVER (PARTITION BY imei ORDER BY msisdn) AS gap FROM ("
        f"SELECT DISTINCT imei, CAST(SUBSTRING(CAST(msisdn AS VARCHAR), 2) AS BIGINT) AS msisdn "
        f"FROM {{rows}} WHERE {VALID_MSISDN}) AS numbers) AS gaps "
        "WHERE gap IS NOT NULL GROUP BY imei HAVING COUNT(*) >= 2 AND MIN(gap) = MAX(gap)"
    ),
    otherwise="NULL",
    rows="shared",
    parameters=("period_days",),
)
