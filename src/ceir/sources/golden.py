"""Devices that are never blocked: only a hash of each identity is kept."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import GOLDEN
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="golden",
    title="Golden devices",
    doc="Devices that are never blocked; only a hash of each identity is kept.",
    fields=(
        Field(
            "imei_md5",
            ("golden_imei",),
            GOLDEN,
            "MD5 of the normalised identity; accepted ready-made too.",
            required=True,
        ),
    ),
    key=("imei_md5",),
    subject="hash",
    checks=list_checks(),
    example="golden_imei\n35675904000001\n",
    peer_name="golden_list",
)
