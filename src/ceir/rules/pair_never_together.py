"""Registered as one device, never in one place.

Two identities of a device with two SIM cards move together. Two phones that were registered as one device, to
save a fee, do not.
"""

from ceir.rules._travelling import CELL_RADIUS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule
from ceir.workings.mates import APART_KM

RULE = Rule(
    name="pair_never_together",
    title="Registered as one device, never in one place",
    doc="Two identities of a device with two SIM cards move together. Two phones that were registered as one "
    "device, to save a fee, do not. A registration that mixed up two devices looks alike.",
    reason="On {mates_apart} days this identity and another of the same registered device were in different "
    "places at the same time, and never together; {days} or more count.",
    source="Practice (Turkey: two phones registered as one)",
    needs=("mates_apart",),
    matches="mates_apart >= days",
    examples=(
        Example(given={"mates_apart": 3}, matches=True, because="enough days", parameters={"days": 3}),
        Example(given={"mates_apart": 2}, matches=False, because="a day less", parameters={"days": 3}),
        Example(given={"mates_apart": 0}, matches=False, because="they were together once"),
    ),
    parameters=(
        Parameter("days", "int", "Fewest such days.", default=3, minimum=1),
        Parameter(
            "apart_km", "int", "Least distance that counts as apart, in km.", default=APART_KM, minimum=1
        ),
        CELL_RADIUS,
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
