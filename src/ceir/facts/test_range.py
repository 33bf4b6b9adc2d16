"""True when the TAC lies in a range set aside for test equipment (TS.06)."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="test_range",
    title="TAC in a test range",
    doc="True when the TAC lies in a range set aside for test equipment (TS.06).",
    type="BOOLEAN",
    expression="COALESCE(tac BETWEEN 100100 AND 101799 OR tac BETWEEN 440000 AND 449999 OR tac BETWEEN "
    "860000 AND 869999 OR tac BETWEEN 910000 AND 919999, FALSE)",
)
