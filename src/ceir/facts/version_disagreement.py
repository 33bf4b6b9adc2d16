"""Days on which its subscribers showed different software versions, in turn."""

from ceir.facts._showings import days_in_turn_sql
from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="version_disagreement",
    title="Days with different software versions",
    doc="Days on which a subscriber showed another software version than the subscriber before him. "
    "Versions that the identity showed on one day only do not count. An update, or an old version put back, "
    "changes it once, two devices in turn change it again and again.",
    type="INTEGER",
    query=days_in_turn_sql("software_version"),
    otherwise=UNKNOWN_IF_SHARED,
    workings=("shown",),
    parameters=WINDOW,
    unit="days",
)
