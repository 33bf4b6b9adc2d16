"""Used by a subscription of no registered person.

A subscription of one of the country's operators was used with the device and belongs to no registered person.
"""

from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="imsi_unregistered",
    title="Used by a subscription of no registered person",
    doc="A subscription of one of the country's operators was used with the device and belongs to no "
    "registered person.",
    reason="{unregistered_imsis} subscription(s) used with this device belong to no registered person.",
    source="ITU-T Q.5052 clause 7.2.2",
    needs=("unregistered_imsis",),
    matches="unregistered_imsis > 0",
    examples=(
        Example(given={"unregistered_imsis": 1}, matches=True, because="one such subscription"),
        Example(given={"unregistered_imsis": 0}, matches=False, because="none"),
    ),
    parameters=(
        Parameter(
            "window_days",
            "int",
            "Length of the window that ends with the day of the run, in days.",
            default=30,
            minimum=1,
        ),
    ),
)
