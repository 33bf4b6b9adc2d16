"""Several steady subscribers side by side.

Each of them uses the identity on a good share of the window's days, and on many days beside another: neither
resale, nor a new SIM card, nor a repair, nor passing use.
"""

from ceir.facts.steady_subscribers import BESIDE_DAYS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule
from ceir.workings.steady_uses import STEADY_PERCENT

RULE = Rule(
    name="steady_sharing",
    title="Several steady subscribers side by side",
    doc="Each of them uses the identity on a good share of the window's days, and on many days beside "
    "another: neither resale, nor a new SIM card, nor a repair, nor passing use. A device with two SIM cards "
    "that shows one identity for both looks alike.",
    reason="{steady_subscribers} subscribers used this identity steadily and side by side; {threshold} or "
    "more count.",
    source="ITU-T Q.5052 clause 7.1",
    needs=("steady_subscribers",),
    matches="steady_subscribers >= threshold",
    examples=(
        Example(
            given={"steady_subscribers": 3},
            matches=True,
            because="the threshold",
            parameters={"threshold": 3},
        ),
        Example(
            given={"steady_subscribers": 2},
            matches=False,
            because="two SIM cards of one phone may show one identity",
            parameters={"threshold": 3},
        ),
    ),
    parameters=(
        Parameter("threshold", "int", "Least number of such subscribers.", default=3, minimum=2),
        Parameter(
            "steady_percent",
            "int",
            "Least share of the window's days on which a steady subscriber is seen, in percent.",
            default=STEADY_PERCENT,
            minimum=1,
        ),
        Parameter(
            "beside_days",
            "int",
            "Fewest days on which he is seen beside another steady subscriber.",
            default=BESIDE_DAYS,
            minimum=1,
        ),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
