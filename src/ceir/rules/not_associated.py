"""Nobody declared it as his own.

No person is associated with the device and its kind is not exempt.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="not_associated",
    title="Nobody declared it as his own",
    doc="No person is associated with the device and its kind is not exempt.",
    reason="Nobody has declared this device as his own.",
    source="ITU-T Q.5052 clause 7.3",
    needs=("associated", "exempt"),
    matches="NOT associated AND NOT exempt",
    examples=(
        Example(given={"associated": False, "exempt": False}, matches=True, because="no association"),
        Example(given={"associated": True, "exempt": False}, matches=False, because="associated"),
        Example(given={"associated": False, "exempt": True}, matches=False, because="a kind that needs none"),
    ),
    peer_name="not_on_association_list",
)
