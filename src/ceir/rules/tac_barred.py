"""TAC is barred.

The regulator barred every device of this TAC.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="tac_barred",
    title="TAC is barred",
    doc="The regulator barred every device of this TAC.",
    reason="The regulator barred every device whose identity begins like {imei}.",
    source="ITU-T Q.5050 clause 10",
    needs=("tac_barred",),
    matches="tac_barred",
    examples=(
        Example(given={"tac_barred": True}, matches=True, because="on the list"),
        Example(given={"tac_barred": False}, matches=False, because="not on the list"),
    ),
    peer_name="is_barred_tac",
)
