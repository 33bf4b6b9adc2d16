"""Reported stolen in another country.

A report of theft or loss in another country is in force.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="stolen_foreign",
    title="Reported stolen in another country",
    doc="A report of theft or loss in another country is in force.",
    reason="This device was reported stolen or lost in another country.",
    source="ITU-T Q.5051 clause 10; Resolution 189",
    needs=("stolen_abroad",),
    matches="stolen_abroad",
    examples=(
        Example(given={"stolen_abroad": True}, matches=True, because="a report in force"),
        Example(given={"stolen_abroad": False}, matches=False, because="no report"),
    ),
    applies_to="listed",
    lists=("stolen-foreign",),
)
