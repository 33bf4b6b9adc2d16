"""Devices that were scrapped: nobody should use their identities any more."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, IMEI
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="scrapped",
    title="Scrapped devices",
    doc="Devices that were scrapped: nobody should use their identities any more.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field(
            "scrapped_on",
            ("scrapped_on",),
            DAY,
            "Day it was scrapped.",
            required=True,
            unit="days since 1970-01-01",
        ),
    ),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei,scrapped_on\n35675904000001,20260801\n",
    changes=("add", "remove", "update"),
)
