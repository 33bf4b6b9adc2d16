"""Too far too fast.

The identity was sighted with one subscriber and then with another so far away that nothing travels so fast,
even if both were at the near edges of their cells and clocks were out, on several days. Cells between which a
subscriber himself jumps, or that are far from every other cell he was in before or after, are left out: they
may stand elsewhere than told.
"""

from ceir.rules._travelling import MEETINGS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="impossible_journey",
    title="Too far too fast",
    doc="The identity was sighted with one subscriber and then with another so far away that nothing travels "
    "so fast, even if both were at the near edges of their cells and clocks were out, on several days. Cells "
    "between which a subscriber himself jumps, or that are far from every other cell he was in before or "
    "after, are left out: they may stand elsewhere than told.",
    reason="On {journey_days} days this identity was with one subscriber and then with another in places "
    "between which nothing travels so fast, once {fastest_kmh} km/h; {days} or more days count.",
    source="ITU-T Q.5052 clause 7.4",
    needs=("journey_days", "fastest_kmh"),
    matches="journey_days >= days AND fastest_kmh >= 0",
    examples=(
        Example(
            given={"journey_days": 2, "fastest_kmh": 1800},
            matches=True,
            because="enough days",
            parameters={"days": 2},
        ),
        Example(
            given={"journey_days": 1, "fastest_kmh": 1800},
            matches=False,
            because="once is a mistake of a clock or a cell",
            parameters={"days": 2},
        ),
        Example(
            given={"journey_days": 0, "fastest_kmh": 0},
            matches=False,
            because="a flight is not impossible",
        ),
    ),
    parameters=(
        Parameter("days", "int", "Fewest days with one.", default=2, minimum=1),
        *MEETINGS,
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
