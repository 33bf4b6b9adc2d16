"""Used by a national roamer.

A subscriber of an operator of the country that sends no files used the device within the look-back; composes
with other rules to treat visitors apart.
"""

from ceir.rules._windows import LOOK_BACK
from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="used_by_national_roamer",
    title="Used by a national roamer",
    doc="A subscriber of an operator of the country that sends no files used the device within the "
    "look-back; composes with other rules to treat visitors apart.",
    reason="{national_roamer_imsis} subscriber(s) of an operator of the country that sends no files used "
    "this device in the last {look_back_days} days.",
    source="ITU-T Q.Suppl.73 (roaming)",
    needs=("national_roamer_imsis",),
    matches="national_roamer_imsis > 0",
    examples=(
        Example(given={"national_roamer_imsis": 1}, matches=True, because="one such subscriber"),
        Example(given={"national_roamer_imsis": 0}, matches=False, because="none"),
    ),
    parameters=(LOOK_BACK,),
    peer_name="used_by_local_non_dirbs_roamer",
)
