"""Conditions that do not count against equipment: an appeal was upheld, or nobody decided it in time."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import IMEI, LABEL
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="appeals",
    title="Appeals that restored equipment",
    doc="Conditions that do not count against equipment: an appeal was upheld, or not decided in time. A "
    "verdict of the condition is in force and has no consequence, as if the condition were on trial.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("condition", ("condition",), LABEL, "Label of the condition.", required=True),
    ),
    key=("imei", "condition"),
    subject="none",
    checks=list_checks(),
    example="imei,condition\n35675904000001,shared_identity\n",
)
