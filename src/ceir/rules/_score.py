"""What the rules that rest on a score share: its parameters, the facts it looks at, and its predicate."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from ceir.rules.declaration import Adapted, Example, Parameter, Value
from ceir.weights import Weights, all_weights
from ceir.weights.declaration import LEAST_SUBSCRIBERS, known_facts, thousandths
from ceir.weights.scale import DEFAULT, LEAST_SIGNALS, scale_of
from ceir.weights.scoring import score_sql, signals_sql

COUNT = "subscriber_count"
"""Known of everything that was seen: an identity without several subscribers has no score."""

PARAMETERS = (
    Parameter(
        "weights",
        "text",
        "Name of the file of weights; a version is never changed, so naming it pins what the score means.",
        default=DEFAULT,
        choices=all_weights(),
    ),
    Parameter("clone_at", "decimal", "Score from which it is a clone; by default as the weights say."),
    Parameter(
        "clear_at",
        "decimal",
        "Score from which it is undecided, below it is not a clone; by default as the weights say.",
    ),
    Parameter(
        "least_signals",
        "int",
        "Independent signals without which it stays undecided, whatever the score: a bare count of "
        "subscribers is one.",
        default=LEAST_SIGNALS,
        minimum=LEAST_SIGNALS,
    ),
    Parameter(
        "window_days",
        "int",
        "Length of the window that ends with the day of the run; by default as the weights were made for.",
        minimum=2,
    ),
)


def brought(parameters: Mapping[str, Value]) -> Mapping[str, Value]:
    """Thresholds and parameters of the facts, from the file of weights.

    Raises:
        ValueError: thresholds that contradict each other.
    """
    scale = scale_of(parameters)
    if not thousandths(scale.weights.score.prior) < scale.clear_at <= scale.clone_at:
        raise ValueError("the score's thresholds are out of order: prior < clear_at <= clone_at must hold")
    score = scale.weights.score
    return {**scale.weights.parameters, "clone_at": score.clone_at, "clear_at": score.clear_at}


def adapted(parameters: Mapping[str, Value], answer: Literal["clone", "undecided"]) -> Adapted:
    """The rule that matches where the score has this answer."""
    scale = scale_of(parameters)
    needs = tuple(dict.fromkeys((COUNT, *scale.weights.facts)))
    score, signals = score_sql(scale.weights), signals_sql(scale.weights)
    clone = f"({score}) >= {scale.clone_at} AND ({signals}) >= {scale.least_signals}"
    test = clone if answer == "clone" else f"({score}) >= {scale.clear_at} AND NOT ({clone})"
    return Adapted(
        needs=needs,
        may_lack=tuple(name for name in needs if name != COUNT),
        matches=f"CASE WHEN {COUNT} IS NULL THEN NULL ELSE {COUNT} >= {LEAST_SUBSCRIBERS} AND {test} END",
    )


def examples(weights: Weights, answer: Literal["clone", "undecided"]) -> tuple[Example, ...]:
    """Examples that hold whatever the weights are: the strongest evidence, and the most innocent."""
    strongest, innocent = _facts(weights, strongest=True), _facts(weights, strongest=False)
    clear = Decimal(weights.score.prior + Decimal("0.001"))
    return (
        Example(strongest, answer == "clone", "every signal at its strongest"),
        Example(innocent, False, "several subscribers, and every signal at its most innocent"),
        Example(
            {**dict.fromkeys(strongest), COUNT: 2},
            False,
            "two subscribers, and nothing else known: unknown adds nothing",
        ),
        Example(
            strongest,
            answer == "undecided",
            "more independent signals asked for than there are: strong, but undecided",
            {"least_signals": len(weights.signals) + 1},
        ),
        Example(
            {**strongest, COUNT: 1},
            False,
            "one subscriber: shared with nobody, whatever the rest says",
            {"clear_at": clear},
        ),
    )


def _facts(weights: Weights, *, strongest: bool) -> dict[str, Value]:
    """Facts that make every signal weigh the most, or nothing."""
    given: dict[str, Value] = {COUNT: LEAST_SUBSCRIBERS}
    for signal in weights.signals:
        starts = {b.weight: b.start for b in reversed(signal.bins)}
        chosen = starts[signal.strongest] if strongest else min(Decimal(0), signal.bins[0].start - 1)
        least = min((b for b in signal.bins), key=lambda b: b.weight)
        if not strongest and not least.weight:
            chosen = least.start
        if signal.per is not None:
            given[signal.per] = 1000
            chosen *= 1000
        if known_facts()[signal.fact].type == "BOOLEAN":
            given[signal.fact] = chosen >= 1
        else:
            given[signal.fact] = max(int(chosen), LEAST_SUBSCRIBERS) if signal.fact == COUNT else int(chosen)
    return given
