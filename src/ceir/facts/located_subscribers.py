"""Valid IMSIs sighted with it in a cell that is known to stand somewhere, of an identity that several
subscribers were sighted with."""

from ceir.facts._sighted import UNKNOWN_IF_SHARED
from ceir.facts.declaration import WINDOW, Fact

FACT = Fact(
    name="located_subscribers",
    title="Subscribers with a place",
    doc="Valid IMSIs sighted with it in a cell that is known to stand somewhere, of an identity "
    "that several subscribers were sighted with.",
    type="INTEGER",
    query="SELECT imei, located AS value FROM {sighted_equipment}",
    otherwise=UNKNOWN_IF_SHARED,
    workings=("sighted_equipment",),
    parameters=WINDOW,
    unit="subscribers",
    reads=("cells",),
)
