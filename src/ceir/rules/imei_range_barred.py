"""Identity lies in a barred range.

The regulator barred a range of identities, and this is one of them.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="imei_range_barred",
    title="Identity lies in a barred range",
    doc="The regulator barred a range of identities, and this is one of them.",
    reason="The regulator barred every device with an identity in the range {barred_range}, and this is one "
    "of them.",
    source="ITU-T Q.5050 clause 10",
    needs=("barred_range",),
    matches="barred_range <> 'none'",
    examples=(
        Example(
            given={"barred_range": "35675904000001-35675904000500"}, matches=True, because="lies in a range"
        ),
        Example(given={"barred_range": "none"}, matches=False, because="lies in none"),
    ),
)
