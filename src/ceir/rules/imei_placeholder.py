"""Identity is a filler.

Fillers are shared by very many devices, so they say nothing about one of them: track and pair, never block
wholesale.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="imei_placeholder",
    title="Identity is a filler",
    doc="Fillers are shared by very many devices, so they say nothing about one of them: track and pair, "
    "never block wholesale.",
    reason="The identity {imei} is a filler that many devices share, not the identity of one device.",
    source="ITU-T Q.5050 clause 9.3 (unique to one piece of equipment)",
    needs=("placeholder",),
    matches="placeholder",
    examples=(
        Example(given={"placeholder": True}, matches=True, because="all zeros"),
        Example(given={"placeholder": False}, matches=False, because="an ordinary number"),
    ),
)
