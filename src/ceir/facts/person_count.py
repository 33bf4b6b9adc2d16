"""Different registered persons whose subscriptions were seen with it in the window."""

from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="person_count",
    title="Different persons",
    doc="Different registered persons whose subscriptions were seen with it in the window; counted where two "
    "or more subscribers were, else 0: one subscription that two persons share is no sign of anything.",
    type="INTEGER",
    query="SELECT imei, CAST(COUNT(DISTINCT uid) AS INTEGER) AS value FROM {person_uses} GROUP BY imei",
    otherwise="0",
    reads=("subscribers",),
    workings=("person_uses",),
    parameters=WINDOW,
    unit="persons",
)
