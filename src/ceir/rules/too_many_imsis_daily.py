"""More subscribers a day than one device has.

The average of different subscribers on the days it was seen reaches the threshold. Robust against resale: an
owner after an owner averages one.
"""

from decimal import Decimal

from ceir.rules._windows import IDENTITY, ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="too_many_imsis_daily",
    title="More subscribers a day than one device has",
    doc="The average of different subscribers on the days it was seen reaches the threshold. Robust against "
    "resale: an owner after an owner averages one.",
    reason="On the {active_days} days it was seen in the window this identity had {subscriber_days} "
    "subscriber-days: an average of {threshold} or more a day is too many for one device.",
    source="ITU-T Q.5052 clause 7.1.2",
    needs=("subscriber_days", "active_days"),
    matches="active_days >= min_seen_days AND subscriber_days >= threshold * active_days",
    examples=(
        Example(
            given={"subscriber_days": 31, "active_days": 10},
            matches=True,
            because="exactly 3.1 a day",
            parameters={"threshold": Decimal("3.1"), "min_seen_days": 5},
        ),
        Example(
            given={"subscriber_days": 30, "active_days": 10},
            matches=False,
            because="3.0 a day",
            parameters={"threshold": Decimal("3.1"), "min_seen_days": 5},
        ),
        Example(
            given={"subscriber_days": 40, "active_days": 4},
            matches=False,
            because="seen on too few days",
            parameters={"threshold": Decimal("3.1"), "min_seen_days": 5},
        ),
    ),
    parameters=(
        Parameter(
            "threshold",
            "decimal",
            "Least average of different subscribers a day; one or less would match every device.",
            required=True,
            above=1,
        ),
        Parameter(
            "min_seen_days",
            "int",
            "Fewest days seen in the window for the average to count.",
            required=True,
            minimum=1,
        ),
        *WINDOW,
        IDENTITY,
    ),
    one_of=ONE_WINDOW,
    peer_name="duplicate_daily_avg",
)
