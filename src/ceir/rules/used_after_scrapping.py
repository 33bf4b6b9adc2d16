"""Used after it was scrapped.

A device that was taken apart does not call. A wrong entry of the list, and a board that somebody saved, look
alike.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="used_after_scrapping",
    title="Used after it was scrapped",
    doc="A device that was taken apart does not call. A wrong entry of the list, and a board that somebody "
    "saved, look alike.",
    reason="This device was scrapped on {scrapped_on}, and its identity was used on {used_after_scrapping} "
    "days of the window after that.",
    source="Practice (Turkey: identities of scrapped phones copied)",
    needs=("used_after_scrapping", "scrapped_on"),
    matches="scrapped_on IS NOT NULL AND used_after_scrapping >= days",
    examples=(
        Example(
            given={"used_after_scrapping": 2, "scrapped_on": 100},
            matches=True,
            because="enough days",
            parameters={"days": 2},
        ),
        Example(
            given={"used_after_scrapping": 1, "scrapped_on": 100},
            matches=False,
            because="the day of the entry may be out by one",
            parameters={"days": 2},
        ),
        Example(
            given={"used_after_scrapping": 0, "scrapped_on": None},
            matches=False,
            because="not scrapped",
        ),
    ),
    parameters=(
        Parameter("days", "int", "Fewest days of use after the scrapping.", default=2, minimum=1),
        *WINDOW,
    ),
    one_of=ONE_WINDOW,
)
