"""Sum over the days of the window of the different registered persons whose subscriptions were seen with it
that day."""

from ceir.facts.declaration import VALID_IMSI, WINDOW, Fact

FACT = Fact(
    name="person_days",
    title="Person days",
    doc="Sum over the days of the window of the different registered persons whose subscriptions were seen "
    "with it that day.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS value FROM ("
        "SELECT r.imei, s.uid, r.month, BIT_OR(r.day_mask) AS day_mask FROM {rows} AS r "
        f"JOIN subscribers AS s ON s.imsi = r.imsi WHERE {VALID_IMSI.replace('imsi', 'r.imsi')} GROUP BY "
        f"r.imei, s.uid, r.month) AS days GROUP BY imei"
    ),
    otherwise="0",
    rows="all",
    parameters=WINDOW,
    reads=("subscribers",),
    unit="person days",
)
