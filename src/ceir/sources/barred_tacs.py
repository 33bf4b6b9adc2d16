"""TACs of which every device is barred."""

from ceir.sources._checks import list_checks
from ceir.sources._kinds import TAC
from ceir.sources.declaration import Field, Source

SOURCE = Source(
    name="barred-tacs",
    title="Barred TACs",
    doc="TACs of which every device is barred.",
    fields=(Field("tac", ("tac",), TAC, "Type Allocation Code.", required=True),),
    key=("tac",),
    subject="tac",
    checks=list_checks(),
    example="tac\n35675904\n",
    peer_name="barred_tac_list",
)
