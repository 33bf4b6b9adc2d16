"""Where a network saw equipment with a subscriber, from when to when."""

from ceir.sources._checks import QUARANTINE
from ceir.sources._kinds import DIGITS, IMEI, MOMENT, TEXT
from ceir.sources.declaration import Bond, Field, Source

SOURCE = Source(
    name="sightings",
    title="Sightings",
    doc="Radio location events: equipment, subscriber, cell, start and end.",
    fields=(
        Field("imei", ("imei",), IMEI, "Equipment identity.", required=True),
        Field("imsi", ("imsi",), DIGITS, "Subscriber.", required=True, personal=True),
        Field("cell", ("cell",), TEXT, "Cell, as the operator names it.", required=True),
        Field(
            "started_at",
            ("started_at",),
            MOMENT,
            "Start.",
            required=True,
            unit="seconds since 1970-01-01 UTC",
        ),
        Field("ended_at", ("ended_at",), MOMENT, "End.", required=True, unit="seconds since 1970-01-01 UTC"),
    ),
    key=(),
    subject="imei",
    bonds=(Bond(("started_at", "ended_at"), "{started_at} <= {ended_at}", "a moment not before started_at"),),
    checks=(QUARANTINE,),
    example="imei,imsi,cell,started_at,ended_at\n"
    "35675904000001,111010000000001,A-0001,2026-09-01T08:00:00Z,2026-09-01T08:05:00Z\n",
    folded="rows",
    dated_by="started_at",
    changes=(),
    per_operator=True,
    dated_name=True,
)
