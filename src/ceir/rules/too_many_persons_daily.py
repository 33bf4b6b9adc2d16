"""More persons a day than one device has.

As the daily average of subscribers, but counting registered persons: an owner with many SIM cards counts
once.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="too_many_persons_daily",
    title="More persons a day than one device has",
    doc="As the daily average of subscribers, but counting registered persons: an owner with many SIM cards "
    "counts once.",
    reason="On the {person_active_days} days it was seen with a registered person in the window this "
    "identity had {person_days} person-days: an average of {threshold} or more a day is too many for one "
    "device.",
    source="ITU-T Q.5052 clause 7.2.1",
    needs=("person_days", "person_active_days"),
    matches="person_active_days >= min_seen_days AND person_days >= threshold * person_active_days",
    examples=(
        Example(
            given={"person_days": 20, "person_active_days": 10},
            matches=True,
            because="exactly 2 a day",
            parameters={"threshold": 2, "min_seen_days": 2},
        ),
        Example(
            given={"person_days": 19, "person_active_days": 10},
            matches=False,
            because="1.9 a day",
            parameters={"threshold": 2, "min_seen_days": 2},
        ),
        Example(
            given={"person_days": 9, "person_active_days": 1},
            matches=False,
            because="seen on too few days",
            parameters={"threshold": 2, "min_seen_days": 2},
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
    ),
    one_of=ONE_WINDOW,
    peer_name="daily_avg_uid",
)
