"""From what a policy says of a rule to the weights and thresholds it means."""

from collections.abc import Mapping
from decimal import Decimal

from ceir.weights.declaration import load_weights, thousandths
from ceir.weights.scoring import Answer, Scale

DEFAULT = "clones-3"
"""Weights of a policy that names none."""

LEAST_SIGNALS = 2
"""A bare count of subscribers is one signal, and never enough."""

SCORED: Mapping[str, Answer] = {"cloned": "clone", "perhaps_cloned": "undecided"}
"""Rules that rest on the score, each with the answer it matches."""


def scale_of(parameters: Mapping[str, object]) -> Scale:
    """Weights and thresholds that a rule's parameters ask for; what they leave open the weights say."""
    weights = load_weights(str(parameters.get("weights") or DEFAULT))
    clone_at, clear_at = parameters.get("clone_at"), parameters.get("clear_at")
    return Scale(
        weights=weights,
        clone_at=thousandths(weights.score.clone_at if clone_at is None else Decimal(str(clone_at))),
        clear_at=thousandths(weights.score.clear_at if clear_at is None else Decimal(str(clear_at))),
        least_signals=int(str(parameters.get("least_signals") or LEAST_SIGNALS)),
    )
