"""Software versions that go up and down.

Updates go up. Two devices with one identity and different software go up and down in turn. Somebody who put
an old version back does so once.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="software_flip_flop",
    title="Software versions that go up and down",
    doc="Updates go up. Two devices with one identity and different software go up and down in turn. "
    "Somebody who put an old version back does so once.",
    reason="{version_flips} times the software version of this identity was lower than before; {times} or "
    "more count.",
    source="3GPP TS 23.003 clause 6.2.2 (IMEISV)",
    needs=("version_flips",),
    matches="version_flips >= times",
    examples=(
        Example(given={"version_flips": 4}, matches=True, because="often enough", parameters={"times": 4}),
        Example(given={"version_flips": 3}, matches=False, because="once less", parameters={"times": 4}),
        Example(given={"version_flips": 0}, matches=False, because="updates only"),
    ),
    parameters=(Parameter("times", "int", "Fewest steps back.", default=4, minimum=1), *WINDOW),
    one_of=ONE_WINDOW,
)
