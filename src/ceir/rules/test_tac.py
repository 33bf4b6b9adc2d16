"""TAC of a test range.

Test identities belong into laboratories; on a public network they are prototypes or copies.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="test_tac",
    title="TAC of a test range",
    doc="Test identities belong into laboratories; on a public network they are prototypes or copies.",
    reason="The first eight digits of {imei} belong to a range for test equipment.",
    source="GSMA TS.06; TS 23.003 clause 6.2",
    needs=("test_range",),
    matches="test_range",
    examples=(
        Example(given={"test_range": True}, matches=True, because="starts with 001001"),
        Example(given={"test_range": False}, matches=False, because="an ordinary TAC"),
    ),
    peer_name="is_test_tac",
)
