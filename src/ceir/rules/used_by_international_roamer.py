"""Used by a roamer from abroad.

A subscriber of another country used the device within the look-back; composes with other rules to treat
visitors apart.
"""

from ceir.rules._windows import LOOK_BACK
from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="used_by_international_roamer",
    title="Used by a roamer from abroad",
    doc="A subscriber of another country used the device within the look-back; composes with other rules to "
    "treat visitors apart.",
    reason="{international_roamer_imsis} subscriber(s) of another country used this device in the last "
    "{look_back_days} days.",
    source="ITU-T Q.Suppl.73 (roaming)",
    needs=("international_roamer_imsis",),
    matches="international_roamer_imsis > 0",
    examples=(
        Example(given={"international_roamer_imsis": 1}, matches=True, because="one such subscriber"),
        Example(given={"international_roamer_imsis": 0}, matches=False, because="none"),
    ),
    parameters=(LOOK_BACK,),
    peer_name="used_by_international_roamer",
)
