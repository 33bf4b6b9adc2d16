"""Days on which it and another identity of the same registered device were in different places."""

from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="mates_apart",
    title="Days apart from its other identity",
    doc="Days (UTC) on which it and another identity that is registered as the same device were sighted far "
    "apart at the same time, if they never were together in the window; 0: they were; null: it has no such "
    "other, or both were never sighted at the same time.",
    type="INTEGER",
    query=(
        "SELECT imei, CAST(MAX(days) AS INTEGER) AS value FROM (SELECT imei, mate, "
        "CASE WHEN BOOL_OR(NOT apart) THEN 0 ELSE COUNT(DISTINCT moment // 86400) END AS days FROM {mates} "
        "GROUP BY imei, mate) AS pairs GROUP BY imei"
    ),
    otherwise="NULL",
    workings=("mates",),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Where its other identity was at the same time",
        query="SELECT imei, moment, mate, distance_m FROM {mates}",
        columns=(
            ("moment", "quarter of an hour from", "moment"),
            ("mate", "other identity", "identity"),
            ("distance_m", "distance", "metres"),
        ),
    ),
)
