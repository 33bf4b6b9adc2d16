"""True when the TAC is on the GSMA allocation list."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="tac_allocated",
    title="TAC allocated",
    doc="True when the TAC is on the GSMA allocation list.",
    type="BOOLEAN",
    query="SELECT tac, TRUE AS value FROM tac",
    otherwise="FALSE",
    reads=("tac",),
    key="tac",
)
