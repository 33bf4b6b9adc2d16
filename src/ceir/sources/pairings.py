"""Which equipment keeps working with which subscriber although its IMEI is blocked."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DIGITS, IMEI
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="pairings",
    title="Pairings",
    doc="Equipment bound to subscribers: works with them although its IMEI is blocked.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("imsi", ("imsi",), DIGITS, "Subscriber.", required=True, personal=True),
        Field("msisdn", ("msisdn",), DIGITS, "Number.", optional_header=True, personal=True),
    ),
    key=("imei", "imsi", "msisdn"),
    subject="imei",
    checks=list_checks(1000, 0.95),
    example="imei,imsi,msisdn\n35675904000001,111010000000001,220000000001\n",
    peer_name="pairing_list",
)
