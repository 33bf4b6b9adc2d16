"""Identities that the regulator watches without blocking."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import IMEI
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="monitored",
    title="Monitored equipment",
    doc="Identities that the regulator watches.",
    fields=(Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei\n35675904000001\n",
    peer_name="monitoring_list",
)
