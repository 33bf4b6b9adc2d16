"""Used by a subscriber of the country.

A subscriber of home operators used the device within the look-back; composes with other rules to treat
visitors apart.
"""

from ceir.rules._windows import LOOK_BACK
from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="used_by_home_subscriber",
    title="Used by a subscriber of the country",
    doc="A subscriber of home operators used the device within the look-back; composes with other rules to "
    "treat visitors apart.",
    reason="{home_imsis} subscriber(s) of home operators used this device in the last {look_back_days} days.",
    source="ITU-T Q.Suppl.73 (roaming)",
    needs=("home_imsis",),
    matches="home_imsis > 0",
    examples=(
        Example(given={"home_imsis": 1}, matches=True, because="one such subscriber"),
        Example(given={"home_imsis": 0}, matches=False, because="none"),
    ),
    parameters=(LOOK_BACK,),
    peer_name="used_by_dirbs_subscriber",
)
