"""Identities on importers' consignments, and when customs released them."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import DAY, IMEI, TEXT
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="imports",
    title="Imports",
    doc="Identities on importers' consignments and when customs released them.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("consignment", ("consignment",), TEXT, "Number of the consignment.", required=True),
        Field("importer", ("importer",), TEXT, "Who imports.", optional_header=True),
        Field(
            "submitted_on",
            ("submitted_on",),
            DAY,
            "Day of the declaration.",
            unit="days since 1970-01-01",
            optional_header=True,
        ),
        Field(
            "released_on",
            ("released_on",),
            DAY,
            "Day of release; empty: not released.",
            unit="days since 1970-01-01",
        ),
    ),
    key=("imei",),
    subject="imei",
    checks=list_checks(),
    example="imei,consignment,importer,submitted_on,released_on\n35675904000001,C-77,Acme,20260101,20260110\n",
    changes=("add", "remove", "update"),
)
