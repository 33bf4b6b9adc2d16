"""Sum over the days of the period of the different valid MSISDNs seen with it that day."""

from ceir.facts.declaration import VALID_MSISDN, Fact

FACT = Fact(
    name="number_days",
    title="Number days",
    doc="Sum over the days of the period of the different valid MSISDNs seen with it that day.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS value FROM ("
        "SELECT imei, msisdn, month, BIT_OR(day_mask) AS day_mask FROM {rows} "
        f"WHERE {VALID_MSISDN} GROUP BY imei, msisdn, month) AS days GROUP BY imei"
    ),
    otherwise="0",
    rows="shared",
    parameters=("period_days",),
    unit="number days",
)
