"""Days on which the software of its subscribers called itself differently."""

from ceir.facts._showings import days_in_turn_sql
from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="agent_disagreement",
    title="Days with different agents",
    doc="Days on which a subscriber showed software of another name than the subscriber before him. "
    "Names that the identity showed on one day only do not count. An update changes it once, two "
    "devices in turn change it again and again.",
    type="INTEGER",
    query=days_in_turn_sql("agent"),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("shown",),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Agents by day and subscriber",
        query="SELECT DISTINCT imei, seen_on, imsi, agent FROM {shown} WHERE agent IS NOT NULL",
        columns=(
            ("seen_on", "day", "day"),
            ("imsi", "subscriber", "subscriber"),
            ("agent", "agent", "plain"),
        ),
    ),
)
