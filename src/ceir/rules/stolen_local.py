"""Reported stolen or lost.

A report of theft or loss in the country is in force.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="stolen_local",
    title="Reported stolen or lost",
    doc="A report of theft or loss in the country is in force.",
    reason="This device was reported stolen or lost on {reported_on}.",
    source="ITU-T Q.5051 clause 8",
    needs=("stolen", "reported_on"),
    matches="stolen",
    examples=(
        Example(given={"stolen": True, "reported_on": 20000}, matches=True, because="a report in force"),
        Example(
            given={"stolen": True, "reported_on": None},
            matches=True,
            because="the day of the report is not needed",
        ),
        Example(given={"stolen": False, "reported_on": None}, matches=False, because="no report"),
    ),
    applies_to="listed",
    lists=("stolen",),
    peer_name="stolen_list",
)
