"""Subscribers who take turns.

On days with one subscriber alone, one came back after another again and again. A phone that a family shares
and a SIM card changed at weekends look alike; a sale does not.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="alternating_subscribers",
    title="Subscribers who take turns",
    doc="On days with one subscriber alone, one came back after another again and again. A phone that a "
    "family shares and a SIM card changed at weekends look alike; a sale does not.",
    reason="{alternations} times in the window a subscriber came back to this identity after another; "
    "{times} or more count.",
    source="Practice (clones that are seldom on air on the same day)",
    needs=("alternations",),
    matches="alternations >= times",
    examples=(
        Example(given={"alternations": 6}, matches=True, because="often enough", parameters={"times": 6}),
        Example(given={"alternations": 5}, matches=False, because="once less", parameters={"times": 6}),
        Example(given={"alternations": 0}, matches=False, because="sold once"),
    ),
    parameters=(
        Parameter("times", "int", "Fewest returns.", default=6, minimum=1),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
