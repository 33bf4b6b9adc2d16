"""Days of the window on which it was seen with at least one valid IMSI (or MSISDN)."""

from ceir.facts.declaration import WINDOW, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS value FROM ("
        "SELECT imei, month, BIT_OR(day_mask) AS day_mask FROM {rows} "
        f"WHERE {c.valid_identity} GROUP BY imei, month) AS days GROUP BY imei"
    )


FACT = Fact(
    name="active_days",
    title="Days seen",
    doc="Days of the window on which it was seen with at least one valid IMSI (or MSISDN).",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="shared",
    parameters=(*WINDOW, "identity"),
    unit="days",
)
