"""Not registered.

No registration of the device is in force and its kind is not exempt. A TAC that nobody knows is not exempt.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="not_registered",
    title="Not registered",
    doc="No registration of the device is in force and its kind is not exempt. A TAC that nobody knows is "
    "not exempt.",
    reason="This device is used but was never registered.",
    source="ITU-T Q.Suppl.73 (restrictive mode)",
    needs=("registered", "exempt"),
    matches="NOT registered AND NOT exempt",
    examples=(
        Example(given={"registered": False, "exempt": False}, matches=True, because="no registration"),
        Example(given={"registered": True, "exempt": False}, matches=False, because="registered"),
        Example(given={"registered": False, "exempt": True}, matches=False, because="a kind that needs none"),
    ),
    peer_name="not_on_registration_list",
)
