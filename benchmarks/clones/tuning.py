"""Writes a file of weights fitted on labelled worlds, with how it was obtained."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ceir.facts import all_facts
from ceir.weights import Weights, parse_weights
from ceir.weights.ladder import LADDER
from clones.candidates import CANDIDATES, Array, Candidate, matrix
from clones.cases import Case
from clones.fitting import fit, speaking, thresholds
from clones.running import SHARED, WINDOW
from clones.worlds import sha256_of


def training(cases: Sequence[Case]) -> tuple[tuple[Candidate, ...], Array, Array]:
    """Candidates that this version has facts for, and bins and truth of all shared identities."""
    rows, copied = [], []
    for case in cases:
        shared = case.answers.matched.get(SHARED, frozenset())
        for imei, facts in sorted(case.answers.facts.items()):
            identity = case.truth.get(imei)
            if imei in shared and identity is not None and not identity.set_aside:
                rows.append(facts)
                copied.append(float(bool(identity.klass)))
    there = {name for facts in rows[:1] for name in facts}
    known = all_facts()
    chosen = tuple(
        c for c in CANDIDATES if c.fact in there and c.fact in known and (c.per is None or c.per in there)
    )
    return chosen, matrix(chosen, rows), np.asarray(copied)


def tune(name: str, cases: Sequence[Case], folder: Path, command: str, day: date) -> Path:
    """Fits and writes the weights `name`; a file of that name must not be there.

    Raises:
        FileExistsError: a version is never changed.
    """
    path = folder / f"{name}.toml"
    if path.exists():
        raise FileExistsError(f"{path.name} is there already: a version of weights is never changed")
    candidates, bins, copied = training(cases)
    fitted = fit(candidates, bins, copied, np.ones(len(copied)))
    clone_at, clear_at = thresholds(fitted, fitted.scores(bins), copied, speaking(fitted, bins))
    seeds = sorted({case.world.seed for case in cases})
    raw = {
        "name": name,
        "calibrated": True,
        "provenance": {
            "how": "Logistic regression with rising bins and a ridge on the shared identities of synthetic "
            f"worlds (seeds A; {' and '.join(sorted({case.mode for case in cases}))}; {len(copied)} rows, "
            f"{int(copied.sum())} of them copied); thresholds settled on the same worlds. Precision there "
            "is not field precision. The ladder is reasoned, not fitted.",
            "made_on": day,
            "command": command,
            "seeds": seeds,
            "worlds_sha256": sha256_of(sorted({case.world for case in cases}, key=lambda world: world.seed)),
        },
        "parameters": {"window_days": WINDOW},
        "score": {
            "prior": _number(fitted.prior), "clone_at": _number(clone_at), "clear_at": _number(clear_at),
            "speaks_from": Decimal("0.5"),
        },
        "signals": [_signal(candidate, found) for candidate, found in fitted.weights()],
        "ladder": LADDER.model_dump(by_alias=True),
    }  # fmt: skip
    path.write_text(_toml(raw), encoding="utf-8")
    return path


def _toml(raw: dict[str, Any]) -> str:
    text = Weights.model_validate(raw).to_toml()
    parse_weights(text, raw["name"])
    return text


def _signal(candidate: Candidate, bins: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "fact": candidate.fact,
        **({"per": candidate.per} if candidate.per else {}),
        "kind": candidate.kind,
        "counts": candidate.counts,
        "says": candidate.says,
        "bins": [{"from": _number(begin), "weight": _number(weight)} for begin, weight in bins],
    }


def _number(value: float) -> Decimal:
    return Decimal(str(round(value, 3)))
