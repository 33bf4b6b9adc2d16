"""Several devices may carry the identity, and nobody can say for sure.

The score lies between its two thresholds, or is high for one kind of evidence alone. Undecided is an answer
of its own: a policy may watch such an identity or freeze who uses it, and never cuts anybody for it.
"""

from ceir.rules._score import PARAMETERS, adapted, brought, examples
from ceir.rules.declaration import Rule
from ceir.weights import load_weights
from ceir.weights.scale import DEFAULT

_DEFAULT = adapted({}, "undecided")

RULE = Rule(
    name="perhaps_cloned",
    title="Perhaps carried by several devices",
    doc="The score lies between its two thresholds, or is high for one kind of evidence alone. Undecided is "
    "an answer of its own: a policy may watch such an identity or freeze who uses it, and never cuts anybody "
    "for it.",
    reason="More than one device may use this identity, and nobody can say for sure; it was seen with "
    "{subscriber_count} subscribers in the window.",
    source="ITU-T Q.5052 clause 7",
    needs=_DEFAULT.needs,
    may_lack=_DEFAULT.may_lack,
    matches=_DEFAULT.matches,
    examples=examples(load_weights(DEFAULT), "undecided"),
    parameters=PARAMETERS,
    brings=brought,
    adapts=lambda parameters: adapted(parameters, "undecided"),
)
