"""Weights from labelled worlds: a logistic regression whose bins can only rise, in plain numpy.

Each bin adds to the one below it, and no step may be negative: a stronger signal never speaks less. What is
unknown steps nowhere. A ridge keeps steps that few identities reach small. The intercept is the score of an
identity with several subscribers whose every signal is at its most innocent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clones.candidates import Array, Candidate

RIDGE = 2.0
STEPS = 4000
LEAST_WEIGHT = 0.05
"""Signals whose every bin weighs less are left out."""


@dataclass(frozen=True)
class Fitted:
    """A score: prior and steps of each candidate's bins."""

    candidates: tuple[Candidate, ...]
    prior: float
    steps: tuple[float, ...]

    def scores(self, bins: Array, without: str | None = None) -> Array:
        """Log-odds of each row; `without`: as if one kind of signal were not there."""
        steps = np.asarray(self.steps)
        if without is not None:
            kinds = [c.kind for c in self.candidates for _ in c.edges]
            steps = np.where(np.asarray(kinds) == without, 0.0, steps)
        return np.asarray(self.prior + bins @ steps, dtype=np.float64)

    def weights(self) -> list[tuple[Candidate, list[tuple[float, float]]]]:
        """(begin, weight) of the bins of each candidate that weighs anything, as files have them."""
        found, place = [], 0
        for candidate in self.candidates:
            steps = self.steps[place : place + len(candidate.edges)]
            place += len(candidate.edges)
            total = float(sum(steps))
            if candidate.falling:
                # Below an edge the step counts: all of them from 0 on, and fewer from each edge.
                begins = [0.0, *candidate.edges]
                levels = [total - float(sum(steps[:n])) for n in range(len(begins))]
            else:
                begins = list(candidate.edges)
                levels = np.cumsum(steps).tolist()
            bins: list[tuple[float, float]] = []
            for begin, level in zip(begins, levels, strict=True):
                weight = round(float(level), 3)
                if weight != (bins[-1][1] if bins else 0.0):
                    bins.append((begin, weight))
            if max(levels) >= LEAST_WEIGHT and bins:
                found.append((candidate, bins))
        return found


def fit(candidates: tuple[Candidate, ...], bins: Array, copied: Array, weight: Array) -> Fitted:
    """Steps that make the labelled identities most likely, found by accelerated projected gradients.

    Args:
        bins: as `candidates.matrix` makes them.
        copied: 1 for identities that are copied, else 0.
        weight: how often each row counts.
    """
    rows = np.hstack([np.ones((len(bins), 1)), bins])
    ridge = np.full(rows.shape[1], RIDGE)
    ridge[0] = 0.0
    curvature = 0.25 * np.linalg.norm(rows * np.sqrt(weight)[:, None], 2) ** 2 + RIDGE
    theta = np.zeros(rows.shape[1])
    theta[0] = -3.0
    ahead, pace = theta.copy(), 1.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ ahead, -50, 50)))
        gradient = rows.T @ (weight * (chance - copied)) + ridge * ahead
        new = ahead - gradient / curvature
        new[1:] = np.maximum(new[1:], 0.0)
        quicker = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = new + (pace - 1) / quicker * (new - theta)
        theta, pace = new, quicker
    return Fitted(candidates, round(float(theta[0]), 3), tuple(float(np.round(s, 4)) for s in theta[1:]))


def thresholds(
    fitted: Fitted,
    scores: Array,
    copied: Array,
    speaking: Array,
    most_false: float = 0.003,
    margin: float = 0.5,
) -> tuple[float, float]:
    """(clone_at, clear_at), settled on the worlds that the weights were fitted on.

    clone_at: the lowest score above which at most `most_false` of the identities with enough independent
    signals are innocent, and `margin` more. clear_at: even odds of one in eight.
    """
    able = speaking >= 2
    order = np.argsort(-scores[able], kind="stable")
    sorted_scores, right = scores[able][order], copied[able][order]
    false = np.cumsum(1 - right)
    last = np.append(sorted_scores[1:] != sorted_scores[:-1], True)
    fine = np.flatnonzero(last & (false <= most_false * np.arange(1, len(right) + 1)))
    lowest = float(sorted_scores[fine[-1]]) if len(fine) else float(scores.max())
    clear_at = max(fitted.prior + 0.001, float(np.log(1 / 7)))
    return round(max(lowest + margin, clear_at), 3), round(clear_at, 3)


def speaking(fitted: Fitted, bins: Array, speaks_from: float = 0.5) -> Array:
    """Independent kinds of evidence that speak, for each row."""
    steps, place = np.asarray(fitted.steps), 0
    by_kind: dict[str, Array] = {}
    for candidate in fitted.candidates:
        chosen = slice(place, place + len(candidate.edges))
        place += len(candidate.edges)
        if candidate.counts:
            speaks = bins[:, chosen] @ steps[chosen] >= speaks_from
            by_kind[candidate.kind] = by_kind.get(candidate.kind, np.zeros(len(bins), dtype=bool)) | speaks
    return np.sum(np.asarray(list(by_kind.values()), dtype=np.float64), axis=0)


def kinds(candidates: Sequence[Candidate]) -> list[str]:
    """Kinds of signals, each once."""
    return list(dict.fromkeys(candidate.kind for candidate in candidates))
