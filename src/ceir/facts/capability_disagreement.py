"""Days on which its subscribers showed different radio capabilities."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Evidence, Fact

_DAYS = (
    "SELECT imei, seen_on FROM ("
    "SELECT imei, imsi, seen_on, MIN(capability) AS low, MAX(capability) AS high FROM {shown} "
    "WHERE capability IS NOT NULL GROUP BY imei, imsi, seen_on) AS users GROUP BY imei, seen_on "
    "HAVING MIN(low) <> MAX(high) AND MAX(CASE WHEN low <> high THEN 1 ELSE 0 END) = 0"
)

FACT = Fact(
    name="capability_disagreement",
    title="Days with different capabilities",
    doc="Days on which its subscribers showed different radio capabilities, each of them one all day: a day "
    "on which one subscriber showed two may be that of an update, and does not count.",
    type="INTEGER",
    query=(
        "SELECT e.imei, CAST(COUNT(d.seen_on) AS INTEGER) AS value FROM (SELECT DISTINCT imei FROM {shown}) "
        f"AS e LEFT JOIN ({_DAYS}) AS d ON d.imei = e.imei GROUP BY e.imei"
    ),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("shown",),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Days with different capabilities",
        query=(
            "SELECT DISTINCT s.imei, s.seen_on, s.imsi, s.capability FROM {shown} AS s "
            f"JOIN ({_DAYS}) AS d ON d.imei = s.imei AND d.seen_on = s.seen_on WHERE s.capability IS NOT NULL"
        ),
        columns=(
            ("seen_on", "day", "day"),
            ("imsi", "subscriber", "subscriber"),
            ("capability", "capability", "plain"),
        ),
    ),
)
