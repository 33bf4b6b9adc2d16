"""What people complained about: a device that no longer works, as an operator or a hotline was told."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, IMEI
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="complaints",
    title="Complaints about blocks",
    doc="Devices whose users complained that they no longer work. No verdict rests on it; blocks that come "
    "step by step stop where the policy's limit of complaints is passed.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field(
            "complained_on",
            ("complained_on",),
            DAY,
            "Day of the complaint.",
            required=True,
            unit="days since 1970-01-01",
        ),
    ),
    key=("imei", "complained_on"),
    subject="none",
    checks=list_checks(),
    example="imei,complained_on\n35675904000001,20261012\n",
)
