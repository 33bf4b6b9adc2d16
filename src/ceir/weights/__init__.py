"""What each signal of a copied identity counts, and each rung of the ladder: files with a version and a
provenance."""

from ceir.weights.declaration import Weights, WeightsError, all_weights, load_weights, parse_weights

__all__ = ["Weights", "WeightsError", "all_weights", "load_weights", "parse_weights"]
