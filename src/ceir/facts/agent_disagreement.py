"""Days on which the software of its subscribers called itself differently."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Evidence, Fact

_DAYS = (
    "SELECT imei, seen_on FROM ("
    "SELECT imei, imsi, seen_on, MIN(agent) AS low, MAX(agent) AS high FROM {shown} "
    "WHERE agent IS NOT NULL GROUP BY imei, imsi, seen_on) AS users GROUP BY imei, seen_on "
    "HAVING MIN(low) <> MAX(high) AND MAX(CASE WHEN low <> high THEN 1 ELSE 0 END) = 0"
)

FACT = Fact(
    name="agent_disagreement",
    title="Days with different agents",
    doc="Days on which the software of its subscribers called itself differently, for each of them alike all "
    "day: a day on which one subscriber showed two may be that of an update, and does not count.",
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
        title="Days with different agents",
        query=(
            "SELECT DISTINCT s.imei, s.seen_on, s.imsi, s.agent FROM {shown} AS s "
            f"JOIN ({_DAYS}) AS d ON d.imei = s.imei AND d.seen_on = s.seen_on WHERE s.agent IS NOT NULL"
        ),
        columns=(
            ("seen_on", "day", "day"),
            ("imsi", "subscriber", "subscriber"),
            ("agent", "agent", "plain"),
        ),
    ),
)
