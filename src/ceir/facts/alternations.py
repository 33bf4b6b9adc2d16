"""How often a subscriber seen alone with it came back after another."""

from ceir.facts._days import unpacked_sql
from ceir.facts.declaration import WINDOW, Evidence, Fact

_ALONE = unpacked_sql("SELECT *, day_mask & ~beside AS alone FROM {uses_days}", "imei, imsi", "alone")

FACT = Fact(
    name="alternations",
    title="Alternations",
    doc="Times that, of the days on which one valid IMSI alone was seen with it, a subscriber came back "
    "after another: A, B, A is one, a sale from A to B none.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(SUM(CASE WHEN imsi = before THEN 0 ELSE 1 END) - COUNT(DISTINCT imsi) AS INTEGER) "
        "AS value FROM (SELECT imei, imsi, LAG(imsi) OVER (PARTITION BY imei ORDER BY day) AS before "
        f"FROM ({_ALONE}) AS alone) AS days GROUP BY imei"
    ),
    otherwise="0",
    workings=("uses_days",),
    parameters=WINDOW,
    unit="times",
    evidence=Evidence(
        title="Days on which another subscriber than the day before used it alone",
        query=(
            "SELECT imei, day, before, imsi FROM (SELECT imei, imsi, day, "
            "LAG(imsi) OVER (PARTITION BY imei ORDER BY day) AS before "
            f"FROM ({_ALONE}) AS alone) AS days WHERE before <> imsi"
        ),
        columns=(
            ("day", "day", "day"),
            ("before", "before", "subscriber"),
            ("imsi", "then", "subscriber"),
        ),
    ),
)
