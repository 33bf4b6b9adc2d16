"""Different valid IMSIs (or MSISDNs) seen with it in the window; exact from two up, at most one for equipment
that only ever had one."""

from ceir.facts.declaration import WINDOW, Context, Fact


def _query(c: Context) -> str:
    return (
        f"SELECT imei, CAST(COUNT(DISTINCT {c.identity}) AS INTEGER) AS value FROM {{rows}} "
        f"WHERE {c.valid_identity} GROUP BY imei"
    )


FACT = Fact(
    name="subscriber_count",
    title="Different subscribers",
    doc="Different valid IMSIs (or MSISDNs) seen with it in the window; exact from two up, at most one for "
    "equipment that only ever had one.",
    type="INTEGER",
    query=_query,
    otherwise="CASE WHEN imsi_low IS NULL AND msisdn_low IS NULL THEN 0 ELSE 1 END",
    rows="shared",
    parameters=(*WINDOW, "identity"),
)
