"""Homes far apart on the same nights.

Two subscribers of the identity spent the same nights at homes far apart, on several nights: one device sleeps
in one place. A courier's phone, and a family's with homes in two towns, spend each night in one of them.
"""

from ceir.rules._travelling import HOMES
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="separate_homes",
    title="Homes far apart on the same nights",
    doc="Two subscribers of the identity spent the same nights at homes far apart, on several nights: one "
    "device sleeps in one place. A courier's phone, and a family's with homes in two towns, spend each night "
    "in one of them; a SIM card changed every night between two places is no match for several nights.",
    reason="Subscribers of this identity spent the same nights in {home_areas} home areas, up to "
    "{home_distance_km} km apart.",
    source="Practice (spatial mixture of subscribers)",
    needs=("home_areas", "home_distance_km"),
    matches="home_areas >= areas AND home_distance_km >= 0",
    examples=(
        Example(
            given={"home_areas": 2, "home_distance_km": 80},
            matches=True,
            because="two homes",
            parameters={"areas": 2},
        ),
        Example(
            given={"home_areas": 1, "home_distance_km": 0},
            matches=False,
            because="one home, or never on the same nights",
            parameters={"areas": 2},
        ),
        Example(
            given={"home_areas": 0, "home_distance_km": 0},
            matches=False,
            because="nobody has a known home",
        ),
    ),
    parameters=(
        Parameter("areas", "int", "Fewest home areas.", default=2, minimum=2),
        *HOMES,
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
