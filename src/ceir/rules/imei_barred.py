"""Identity is barred.

The regulator barred this single identity.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="imei_barred",
    title="Identity is barred",
    doc="The regulator barred this single identity.",
    reason="The regulator barred this identity.",
    source="ITU-T Q.5051 clause 8",
    needs=("barred",),
    matches="barred",
    examples=(
        Example(given={"barred": True}, matches=True, because="on the list"),
        Example(given={"barred": False}, matches=False, because="not on the list"),
    ),
    applies_to="listed",
    lists=("barred",),
    peer_name="exists_in_barred_list",
)
