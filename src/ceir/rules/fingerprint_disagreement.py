"""Subscribers with different fingerprints on the same days.

What equipment declares of its radio, and what its software calls itself, depend on the device and not on the
SIM card. Two slots of one device that declare different radios under one identity look alike.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="fingerprint_disagreement",
    title="Subscribers with different fingerprints on the same days",
    doc="What equipment declares of its radio, and what its software calls itself, depend on the device and "
    "not on the SIM card. An update changes them for everybody; two slots of one device that declare "
    "different radios under one identity look alike.",
    reason="On {capability_disagreement} days subscribers of this identity showed different radio "
    "capabilities, on {agent_disagreement} days different agents; {days} or more of either count.",
    source="Practice (fingerprints of capabilities; US8923841 for other features)",
    needs=("capability_disagreement", "agent_disagreement"),
    matches="capability_disagreement + agent_disagreement >= 0 AND (capability_disagreement >= days OR "
    "agent_disagreement >= days)",
    examples=(
        Example(
            given={"capability_disagreement": 3, "agent_disagreement": 0},
            matches=True,
            because="different radios",
            parameters={"days": 3},
        ),
        Example(
            given={"capability_disagreement": 0, "agent_disagreement": 3},
            matches=True,
            because="different agents",
            parameters={"days": 3},
        ),
        Example(
            given={"capability_disagreement": 2, "agent_disagreement": 2},
            matches=False,
            because="neither on enough days",
            parameters={"days": 3},
        ),
    ),
    parameters=(Parameter("days", "int", "Fewest such days.", default=3, minimum=1), *WINDOW),
    one_of=ONE_WINDOW,
)
