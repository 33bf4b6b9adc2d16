"""Two subscribers on air at the same moment.

One device with one radio serves one of them at a time. A device with two SIM cards that shows one identity
for both, and networks that tell late that equipment left, look alike; where it matters, ask that the places
are far apart too (`impossible_journey`).
"""

from ceir.rules._travelling import MEETINGS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="simultaneous_sessions",
    title="Two subscribers on air at the same moment",
    doc="One device with one radio serves one subscriber at a time. A device with two SIM cards that shows "
    "one identity for both, and networks that tell late that equipment left, look alike.",
    reason="On {overlap_days} days two subscribers of this identity were on air at the same moment; {days} "
    "or more count.",
    source="ITU-T Q.5052 clause 7.4",
    needs=("overlap_days",),
    matches="overlap_days >= days",
    examples=(
        Example(given={"overlap_days": 3}, matches=True, because="enough days", parameters={"days": 3}),
        Example(given={"overlap_days": 2}, matches=False, because="a day less", parameters={"days": 3}),
    ),
    parameters=(
        Parameter("days", "int", "Fewest such days.", default=3, minimum=1),
        *MEETINGS,
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
