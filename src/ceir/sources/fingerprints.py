"""What equipment showed of itself to a network, by subscriber and day."""

from ceir.sources._checks import QUARANTINE
from ceir.sources._kinds import DAY, DIGITS, IMEI, OPAQUE, SOFTWARE_VERSION
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="fingerprints",
    title="Fingerprints",
    doc="What equipment showed of itself to a network, by subscriber and day: the software version of its "
    "IMEISV, and words that stand for its radio capabilities and for the agent of its browser or modem. "
    "Words are hashes or other opaque texts: only whether two are equal matters.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("imsi", ("imsi",), DIGITS, "Subscriber.", required=True, personal=True),
        Field(
            "seen_on",
            ("seen_on", "date"),
            DAY,
            "Local calendar day.",
            required=True,
            unit="days since 1970-01-01",
        ),
        Field(
            "software_version",
            ("software_version",),
            SOFTWARE_VERSION,
            "Last two digits of the IMEISV; may be empty.",
            optional_header=True,
        ),
        Field(
            "capability",
            ("capability",),
            OPAQUE,
            "Stands for the radio capabilities it declared; may be empty.",
            optional_header=True,
        ),
        Field(
            "agent",
            ("agent",),
            OPAQUE,
            "Stands for what its software called itself; may be empty.",
            optional_header=True,
        ),
    ),
    key=(),
    subject="imei",
    checks=(QUARANTINE,),
    example="imei,imsi,seen_on,software_version,capability,agent\n"
    "35675904000001,111010000000001,20260901,07,c41f9a,a03b77\n",
    folded="rows",
    dated_by="seen_on",
    changes=(),
    per_operator=True,
    dated_name=True,
)
