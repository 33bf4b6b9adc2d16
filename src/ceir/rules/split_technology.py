"""Subscribers with radios of different generations.

One subscriber of the identity is never seen above an old technology while another uses new ones: one device
has one radio. A subscription that is not allowed on new technologies looks alike.
"""

from ceir.facts.split_generations import BUSY_DAYS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="split_technology",
    title="Subscribers with radios of different generations",
    doc="One subscriber of the identity is never seen above an old technology while another uses new ones: "
    "one device has one radio. A subscription that is not allowed on new technologies, and a home without "
    "coverage, look alike, so one generation apart is little.",
    reason="The best radio technology of one subscriber of this identity is {split_generations} generations "
    "above that of another; {generations} or more count.",
    source="ITU-T Q.5052 clause 9.1",
    needs=("split_generations",),
    matches="split_generations >= generations",
    examples=(
        Example(
            given={"split_generations": 2},
            matches=True,
            because="2G and 4G",
            parameters={"generations": 2},
        ),
        Example(
            given={"split_generations": 1},
            matches=False,
            because="4G and 5G may be two tariffs",
            parameters={"generations": 2},
        ),
    ),
    parameters=(
        Parameter("generations", "int", "Fewest generations apart.", default=2, minimum=1),
        Parameter(
            "busy_days",
            "int",
            "Fewest days on which a subscriber must be seen to be compared.",
            default=BUSY_DAYS,
            minimum=1,
        ),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
