"""Single identities that the regulator bars."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import IMEI
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="barred",
    title="Barred equipment",
    doc="Single identities that the regulator bars.",
    fields=(Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei\n35675904000001\n",
    peer_name="barred_list",
)
