"""Subscribers with different fingerprints in turn.

What equipment declares of its radio, what its software calls itself and its version depend on the device and
not on the SIM card. Two slots of one device that declare different radios under one identity look alike.
"""

from ceir.rules._windows import ONE_WINDOW, WINDOW
from ceir.rules.declaration import Example, Parameter, Rule

RULE = Rule(
    name="fingerprint_disagreement",
    title="Subscribers with different fingerprints in turn",
    doc="What equipment declares of its radio, what its software calls itself and its version depend on the "
    "device and not on the SIM card. An update changes them for everybody; two slots of one device that "
    "declare different radios under one identity look alike.",
    reason="On {capability_disagreement} days a subscriber of this identity showed other radio capabilities "
    "than the one before him, on {agent_disagreement} days another agent, on {version_disagreement} days "
    "another software version; {days} or more of any count.",
    source="Practice (fingerprints of capabilities; US8923841 for other features)",
    needs=("capability_disagreement", "agent_disagreement", "version_disagreement"),
    matches="capability_disagreement + agent_disagreement + version_disagreement >= 0 AND "
    "(capability_disagreement >= days OR agent_disagreement >= days OR version_disagreement >= days)",
    examples=(
        Example(
            given={"capability_disagreement": 3, "agent_disagreement": 0, "version_disagreement": 0},
            matches=True,
            because="different radios",
            parameters={"days": 3},
        ),
        Example(
            given={"capability_disagreement": 0, "agent_disagreement": 3, "version_disagreement": 0},
            matches=True,
            because="different agents",
            parameters={"days": 3},
        ),
        Example(
            given={"capability_disagreement": 2, "agent_disagreement": 2, "version_disagreement": 2},
            matches=False,
            because="none on enough days",
            parameters={"days": 3},
        ),
    ),
    parameters=(Parameter("days", "int", "Fewest such days.", default=3, minimum=1), *WINDOW),
    one_of=ONE_WINDOW,
)
