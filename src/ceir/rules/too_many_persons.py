"""More persons than one device has.

Different registered persons of all operators in the window reach the threshold: an owner with many SIM cards
counts once. Resale, repair and family use look alike, so this alone proves nothing.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="too_many_persons",
    title="More persons than one device has",
    doc="Different registered persons of all operators in the window reach the threshold: an owner with many "
    "SIM cards counts once. Resale, repair and family use look alike, so this alone proves nothing.",
    reason="{person_count} different registered persons used this identity in the window; {threshold} or "
    "more count as too many for one device.",
    source="ITU-T Q.5052 clause 7.2",
    needs=("person_count",),
    matches="person_count >= threshold",
    examples=(
        Example(
            given={"person_count": 4}, matches=True, because="the threshold", parameters={"threshold": 4}
        ),
        Example(given={"person_count": 3}, matches=False, because="one fewer", parameters={"threshold": 4}),
    ),
    parameters=(
        Parameter(
            "threshold",
            "int",
            "Least number of different persons; one or less would match every device.",
            required=True,
            minimum=2,
        ),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
