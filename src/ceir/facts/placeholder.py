"""The identity is a filler that many devices share: repeated digits or a run."""

from ceir.facts.declaration import Fact
from ceir.identifiers.placeholder import PLACEHOLDER_NUMBERS

FACT = Fact(
    name="placeholder",
    title="Placeholder",
    doc="True when the 14 digits are all equal, or count up or down: a filler, never one device's identity.",
    type="BOOLEAN",
    expression=f"imei IN ({', '.join(str(number) for number in PLACEHOLDER_NUMBERS)})",
)
