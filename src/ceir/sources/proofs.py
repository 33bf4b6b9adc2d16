"""What somebody proved to the register about a subscriber's device."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, DIGITS, IMEI, status
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="proofs",
    title="Proofs",
    doc="What somebody proved to the register about a subscriber's device: that he bought it (`purchase`), "
    "that the device itself vouched for its identity (`device`), or that its maker did (`maker`).",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("imsi", ("imsi",), DIGITS, "Subscriber.", required=True, personal=True),
        Field("kind", ("kind",), status("purchase", "device", "maker"), "What was proved.", required=True),
        Field("proven_on", ("proven_on",), DAY, "Day of the proof.", unit="days since 1970-01-01"),
    ),
    key=("imei", "imsi", "kind"),
    subject="imei",
    checks=list_checks(),
    example="imei,imsi,kind,proven_on\n35675904000001,111010000000001,purchase,20260904\n",
    changes=("add", "remove", "update"),
)
