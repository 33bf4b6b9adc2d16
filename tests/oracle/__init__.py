"""A second opinion: verdicts and lists recomputed from the raw files, sharing no code with the product.

Whoever compares the two learns something only because neither can copy the other's mistakes; so nothing here
imports the package under test, and every rule is written for the eye first and the clock second.
"""

from .outcomes import Verdict, lists, matches, over_ratio, verdicts
from .reading import Inputs, load
from .world import UndefinedError, World

__all__ = [
    "Inputs",
    "UndefinedError",
    "Verdict",
    "World",
    "lists",
    "load",
    "matches",
    "over_ratio",
    "verdicts",
]
