"""Several subscribers on the same days.

Two or more subscribers were seen with the identity on the same day, on many days: what one device with one
SIM card slot cannot do. A device with two SIM cards that shows one identity for both, and a SIM card changed
every day, look alike.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="parallel_subscribers",
    title="Several subscribers on the same days",
    doc="Two or more subscribers were seen with the identity on the same day, on many days. Robust against "
    "resale. A device with two SIM cards that shows one identity for both, and a SIM card changed every day, "
    "look alike.",
    reason="On {parallel_days} days of the window several subscribers used this identity; {days} or more "
    "count.",
    source="ITU-T Q.5052 clause 7.1.2",
    needs=("parallel_days",),
    matches="parallel_days >= days",
    examples=(
        Example(given={"parallel_days": 10}, matches=True, because="enough days", parameters={"days": 10}),
        Example(given={"parallel_days": 9}, matches=False, because="a day less", parameters={"days": 10}),
    ),
    parameters=(
        Parameter("days", "int", "Fewest such days.", default=10, minimum=1),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
