"""Several devices carry the identity.

All signals together: each adds to a score as a file of weights says, and independent kinds of evidence must
agree. What is unknown adds nothing. It says that there are several devices, not whose is the genuine one.
"""

from ceir.rules._score import PARAMETERS, adapted, brought, examples
from ceir.rules.declaration import Rule
from ceir.weights import load_weights
from ceir.weights.scale import DEFAULT

_DEFAULT = adapted({}, "clone")

RULE = Rule(
    name="cloned",
    title="Carried by several devices",
    doc="All signals together: each adds to a score as a file of weights says, and independent kinds of "
    "evidence must agree. What is unknown adds nothing. It says that there are several devices, not whose is "
    "the genuine one.",
    reason="Several kinds of evidence agree that more than one device uses this identity; it was seen with "
    "{subscriber_count} subscribers in the window.",
    source="ITU-T Q.5052 clause 7",
    needs=_DEFAULT.needs,
    may_lack=_DEFAULT.may_lack,
    matches=_DEFAULT.matches,
    examples=examples(load_weights(DEFAULT), "clone"),
    parameters=PARAMETERS,
    brings=brought,
    adapts=lambda parameters: adapted(parameters, "clone"),
)
