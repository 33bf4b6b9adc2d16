"""How far the best technologies of its subscribers are apart."""

from ceir.facts.declaration import WINDOW, Evidence, Fact

BUSY_DAYS = 10

FACT = Fact(
    name="split_generations",
    title="Generations apart",
    doc="How many generations the best radio technology of one subscriber is above that of another, among "
    "valid IMSIs seen with it on many days of the window: one device has one radio, whoever uses it.",
    type="INTEGER",
    query=lambda c: (
        "SELECT imei, CAST(MAX(best) - MIN(best) AS INTEGER) AS value FROM {technologies} "
        f"WHERE days >= {c.parameters['busy_days']} GROUP BY imei"
    ),
    otherwise="0",
    workings=("technologies",),
    parameters=(*WINDOW, "busy_days"),
    defaults={"busy_days": BUSY_DAYS},
    unit="generations",
    evidence=Evidence(
        title="Best radio technology of each subscriber",
        query="SELECT imei, imsi, days, best FROM {technologies}",
        columns=(
            ("imsi", "subscriber", "subscriber"),
            ("days", "days", "plain"),
            ("best", "best generation", "plain"),
        ),
    ),
)
