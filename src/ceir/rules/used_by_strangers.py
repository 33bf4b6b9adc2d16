"""Used by persons who did not declare it.

Somebody declared the device as his own, and others use its identity. A sale that nobody recorded, a family
and a repair look alike, so this alone proves nothing.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="used_by_strangers",
    title="Used by persons who did not declare it",
    doc="Somebody declared the device as his own, and others use its identity. A sale that nobody recorded, "
    "a family and a repair look alike, so this alone proves nothing.",
    reason="{stranger_count} registered persons used this identity in the window although it was declared by "
    "others; {threshold} or more count.",
    source="ITU-T Q.5052 clause 7.3",
    needs=("stranger_count",),
    matches="stranger_count >= threshold",
    examples=(
        Example(
            given={"stranger_count": 2}, matches=True, because="the threshold", parameters={"threshold": 2}
        ),
        Example(given={"stranger_count": 1}, matches=False, because="one fewer", parameters={"threshold": 2}),
        Example(given={"stranger_count": 0}, matches=False, because="only its owner, or nobody declared it"),
    ),
    parameters=(
        Parameter("threshold", "int", "Least number of strangers.", default=1, minimum=1),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
