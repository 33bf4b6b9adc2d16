"""Identity is not 14 digits.

After normalisation a genuine identity is exactly 14 digits; anything else was typed, masked or reprogrammed.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="imei_malformed",
    title="Identity is not 14 digits",
    doc="After normalisation a genuine identity is exactly 14 digits; anything else was typed, masked or "
    "reprogrammed.",
    reason="The identity {imei} is not a valid IMEI: it does not begin with 14 digits.",
    source="TS 23.003 clause 6.2; ITU-T Q.5050 clause 10.1",
    needs=("well_formed",),
    matches="NOT well_formed",
    examples=(
        Example(given={"well_formed": False}, matches=True, because="fewer than 14 digits"),
        Example(given={"well_formed": True}, matches=False, because="14 digits"),
    ),
    peer_name="malformed_imei",
)
