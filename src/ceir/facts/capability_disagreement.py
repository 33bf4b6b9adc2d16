"""Days on which its subscribers showed different radio capabilities."""

from ceir.facts._showings import days_in_turn_sql
from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Evidence, Fact

FACT = Fact(
    name="capability_disagreement",
    title="Days with different capabilities",
    doc="Days on which a subscriber showed other radio capabilities than the subscriber before him. "
    "Capabilities that the identity showed on one day only do not count. An update changes it once, two "
    "devices in turn change it again and again.",
    type="INTEGER",
    query=days_in_turn_sql("capability"),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("shown",),
    parameters=WINDOW,
    unit="days",
    evidence=Evidence(
        title="Radio capabilities by day and subscriber",
        query="SELECT DISTINCT imei, seen_on, imsi, capability FROM {shown} WHERE capability IS NOT NULL",
        columns=(
            ("seen_on", "day", "day"),
            ("imsi", "subscriber", "subscriber"),
            ("capability", "capability", "plain"),
        ),
    ),
)
