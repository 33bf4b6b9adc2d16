"""Ranges of identities of which every device is barred, as of a stolen consignment."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import WHOLE_IMEI
from ceir.sources.declaration import Bond, Field, Source

MOST_IDENTITIES = 1_000_000
"""Identities of a range at most: as many as a TAC has. A wider one is a slip of the digits, and would bar
models that nobody meant."""

SOURCE = Source(
    name="barred-ranges",
    title="Barred ranges",
    doc="Ranges of identities of which every device is barred, as of a stolen consignment; they may overlap.",
    fields=(
        Field("first_imei", ("first_imei",), WHOLE_IMEI, "First identity of the range.", required=True),
        Field("last_imei", ("last_imei",), WHOLE_IMEI, "Last identity of the range.", required=True),
    ),
    key=("first_imei", "last_imei"),
    subject="range",
    bonds=(
        Bond(("first_imei", "last_imei"), "{first_imei} <= {last_imei}", "an identity not before first_imei"),
        Bond(
            ("first_imei", "last_imei"),
            f"{{last_imei}} - {{first_imei}} < {MOST_IDENTITIES}",
            f"the end of a range of at most {MOST_IDENTITIES:,} identities",
        ),
    ),
    checks=list_checks(),
    example="first_imei,last_imei\n35675904000001,35675904000500\n",
)
