"""Days of the window on which subscriptions of two or more registered persons were seen with it."""

from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="parallel_person_days",
    title="Days with several persons",
    doc="Days of the window on which subscriptions of two or more registered persons were seen with it; "
    "counted where two or more subscribers were, else 0.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(BIT_COUNT(beside)) AS INTEGER) AS value FROM ("
        "SELECT imei, month, BIT_OR(beside) AS beside FROM {person_uses} GROUP BY imei, month) AS months "
        "GROUP BY imei"
    ),
    otherwise="0",
    reads=("subscribers",),
    workings=("person_uses",),
    parameters=WINDOW,
    unit="days",
)
