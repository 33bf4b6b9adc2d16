"""Which person declared which device as his own."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import IMEI, UID
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="associations",
    title="Device associations",
    doc="Which person declared which device as his own.",
    fields=(
        Field("uid", ("uid",), UID, "The person.", required=True, personal=True),
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
    ),
    key=("uid", "imei"),
    subject="imei",
    checks=list_checks(),
    example="uid,imei\nP-000001,35675904000001\n",
    peer_name="device_association_list",
)
