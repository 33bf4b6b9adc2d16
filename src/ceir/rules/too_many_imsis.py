"""More subscribers than one device has.

Different subscribers of all operators in the window reach the threshold: several devices may share the
identity. Resale, repair and family use look alike, so this alone proves nothing.
"""

from ceir.rules._windows import IDENTITY, ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="too_many_imsis",
    title="More subscribers than one device has",
    doc="Different subscribers of all operators in the window reach the threshold: several devices may "
    "share the identity. Resale, repair and family use look alike, so this alone proves nothing.",
    reason="{subscriber_count} different subscribers used this identity in the window; {threshold} or more "
    "count as too many for one device.",
    source="ITU-T Q.5052 clause 7.1.1",
    needs=("subscriber_count",),
    matches="subscriber_count >= threshold",
    examples=(
        Example(
            given={"subscriber_count": 10},
            matches=True,
            because="exactly the threshold",
            parameters={"threshold": 10},
        ),
        Example(
            given={"subscriber_count": 9}, matches=False, because="one fewer", parameters={"threshold": 10}
        ),
    ),
    parameters=(
        Parameter(
            "threshold",
            "int",
            "Least number of different subscribers; one or less would match every device.",
            required=True,
            minimum=2,
        ),
        *WINDOW,
        IDENTITY,
    ),
    one_of=ONE_WINDOW,
    peer_name="duplicate_threshold",
)
