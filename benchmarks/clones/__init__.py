"""The honest benchmark of clones: worlds with hidden truth, a scorer, the fitting of weights, a report."""
