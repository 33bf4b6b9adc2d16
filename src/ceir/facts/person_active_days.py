"""Days of the window on which a registered person's subscription was seen with it."""

from ceir.facts.declaration import VALID_IMSI, WINDOW, Fact

FACT = Fact(
    name="person_active_days",
    title="Days seen with a person",
    doc="Days of the window on which a registered person's subscription was seen with it.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(BIT_COUNT(day_mask)) AS INTEGER) AS value FROM ("
        "SELECT r.imei, r.month, BIT_OR(r.day_mask) AS day_mask FROM {rows} AS r "
        f"WHERE {VALID_IMSI} AND r.imsi IN (SELECT imsi FROM subscribers) GROUP BY r.imei, r.month) AS days "
        f"GROUP BY imei"
    ),
    otherwise="0",
    rows="all",
    parameters=WINDOW,
    reads=("subscribers",),
    unit="days",
)
