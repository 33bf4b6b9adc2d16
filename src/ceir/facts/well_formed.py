"""True when the identity is exactly 14 digits after normalisation."""

from ceir.facts.declaration import Fact

FACT = Fact(
    name="well_formed",
    title="Has 14 digits",
    doc="True when the identity is exactly 14 digits after normalisation.",
    type="BOOLEAN",
    expression="imei >= 0",
)
