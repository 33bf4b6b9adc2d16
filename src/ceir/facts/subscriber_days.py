"""Sum over the days of the window of the different valid IMSIs (or MSISDNs) seen with it that day."""

from ceir.facts.declaration import WINDOW, Context, Fact


def _query(c: Context) -> str:
    return (
        "SELECT imei, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS value FROM ("
        f"SELECT imei, {c.identity}, month, BIT_OR(day_mask) AS day_mask FROM {{rows}} "
        f"WHERE {c.valid_identity} GROUP BY imei, {c.identity}, month) AS days GROUP BY imei"
    )


FACT = Fact(
    name="subscriber_days",
    title="Subscriber days",
    doc="Sum over the days of the window of the different valid IMSIs (or MSISDNs) seen with it that day.",
    type="INTEGER",
    query=_query,
    otherwise="0",
    rows="shared",
    parameters=(*WINDOW, "identity"),
    unit="subscriber days",
)
