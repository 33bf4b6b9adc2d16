"""Silent for long, then used by others only.

Clones often copy identities of dead phones. A phone sold out of a drawer looks the same, so this alone proves
nothing.
"""

from ceir.facts.came_back_new import SILENT_DAYS
from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="resurrected",
    title="Silent for long, then used by others only",
    doc="Clones often copy identities of dead phones. A phone sold out of a drawer looks the same, so this "
    "alone proves nothing.",
    reason="After up to {longest_silence} days in which nobody used this identity, only other persons do.",
    source="Practice (Turkey: identities of scrapped phones copied)",
    needs=("came_back_new", "longest_silence"),
    matches="came_back_new AND longest_silence >= silent_days",
    examples=(
        Example(
            given={"came_back_new": True, "longest_silence": 45},
            matches=True,
            because="others after a long silence",
            parameters={"silent_days": 45},
        ),
        Example(
            given={"came_back_new": False, "longest_silence": 80},
            matches=False,
            because="its owner came back",
            parameters={"silent_days": 45},
        ),
        Example(
            given={"came_back_new": True, "longest_silence": 44},
            matches=False,
            because="not silent for long enough",
            parameters={"silent_days": 45},
        ),
    ),
    parameters=(
        Parameter(
            "silent_days",
            "int",
            "Fewest days without any use; a silence of less than 14 is none.",
            default=SILENT_DAYS,
            minimum=14,
        ),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
