"""Where cells stand and how far they reach."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import LATITUDE, LONGITUDE, METRES, TEXT
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="cells",
    title="Cells",
    doc="Where cells stand and how far they reach; needed to tell how far apart two sightings are.",
    fields=(
        Field("cell", ("cell",), TEXT, "Cell, as sightings name it.", required=True),
        Field(
            "latitude",
            ("latitude",),
            LATITUDE,
            "Degrees north of the equator.",
            required=True,
            unit="millionths of a degree",
        ),
        Field(
            "longitude",
            ("longitude",),
            LONGITUDE,
            "Degrees east of Greenwich.",
            required=True,
            unit="millionths of a degree",
        ),
        Field(
            "radius_m",
            ("radius_m",),
            METRES,
            "How far from there equipment in the cell may be; empty: as far as the rule assumes.",
            unit="metres",
            optional_header=True,
        ),
    ),
    key=("cell",),
    subject="cell",
    checks=list_checks(),
    example="cell,latitude,longitude,radius_m\nA-0001,10.482100,-66.903600,1500\n",
    changes=("add", "remove", "update"),
    keep_unknown=True,
)
