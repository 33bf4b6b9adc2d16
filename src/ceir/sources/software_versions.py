"""What networks are told about an identity while it runs a certain software."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import SOFTWARE_VERSION, WHOLE_IMEI, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="software-versions",
    title="Software versions",
    doc="What networks are told about an identity while it runs a certain software. No rule looks at it, for "
    "observations carry no software version: it goes to the equipment check as it is.",
    fields=(
        Field("imei", ("imei",), WHOLE_IMEI, "Equipment identity.", required=True),
        Field(
            "software_version",
            ("software_version",),
            SOFTWARE_VERSION,
            "Last two digits of the IMEISV.",
            required=True,
        ),
        Field(
            "status",
            ("status",),
            status("blocked", "tracked", "permitted"),
            "What networks are told.",
            required=True,
        ),
    ),
    key=("imei", "software_version"),
    subject="none",
    checks=list_checks(),
    example="imei,software_version,status\n35675904000001,03,blocked\n",
    changes=("add", "remove", "update"),
)
