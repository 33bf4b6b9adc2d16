"""True when the regulator bars every device of the TAC."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="tac_barred",
    title="TAC barred",
    doc="True when the regulator bars every device of the TAC.",
    type="BOOLEAN",
    query="SELECT tac, TRUE AS value FROM barred_tacs",
    otherwise="FALSE",
    reads=("barred-tacs",),
    key="tac",
)
