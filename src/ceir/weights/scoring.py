"""The score of an identity: as SQL for all of them, and in plain words for one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product
from typing import Literal

from ceir.weights.declaration import THOUSANDTHS, Bin, Signal, Weights, known_facts, thousandths

Answer = Literal["clone", "undecided", "not_a_clone"]

MOST_CHANGES = 3
"""Signals that a counterfactual changes at once: one that changes more helps nobody."""


@dataclass(frozen=True)
class Scale:
    """Weights, and the thresholds a policy holds their score against.

    Args:
        clone_at: score from which an identity is called a clone, in thousandths.
        clear_at: score from which it is undecided, in thousandths.
        least_signals: independent signals without which it is not called a clone.
    """

    weights: Weights
    clone_at: int
    clear_at: int
    least_signals: int

    def answer(self, score: int, signals: int) -> Answer:
        """What a score means."""
        if score >= self.clone_at and signals >= self.least_signals:
            return "clone"
        return "undecided" if score >= self.clear_at else "not_a_clone"


@dataclass(frozen=True)
class Term:
    """What one signal adds for an identity.

    Args:
        value: of the fact, or of the quotient of two; None: unknown.
        weight: in thousandths.
    """

    signal: Signal
    value: Fraction | None
    weight: int


def score_sql(weights: Weights) -> str:
    """The score in thousandths, over columns named as the facts."""
    return " + ".join((str(thousandths(weights.score.prior)), *(_term_sql(s) for s in weights.signals)))


def signals_sql(weights: Weights) -> str:
    """How many independent signals speak: kinds of which at least one signal weighs enough."""
    kinds: dict[str, list[str]] = {}
    for signal in weights.signals:
        spoken = [b for b in signal.bins if b.weight >= weights.score.speaks_from]
        if signal.counts and spoken:
            speaks = f"({_term_sql(signal)}) >= {thousandths(weights.score.speaks_from)}"
            kinds.setdefault(signal.kind, []).append(speaks)
    return " + ".join(f"CASE WHEN {' OR '.join(tests)} THEN 1 ELSE 0 END" for tests in kinds.values())


def terms(weights: Weights, facts: Mapping[str, object]) -> tuple[Term, ...]:
    """What each signal adds, in the file's order."""
    found = []
    for signal in weights.signals:
        value = _value(signal, facts)
        found.append(Term(signal, value, _weight(signal, value)))
    return tuple(found)


def score_of(weights: Weights, found: Sequence[Term]) -> int:
    """The sum, in thousandths."""
    return thousandths(weights.score.prior) + sum(term.weight for term in found)


def signals_of(weights: Weights, found: Sequence[Term]) -> int:
    """How many independent signals speak."""
    least = thousandths(weights.score.speaks_from)
    return len({t.signal.kind for t in found if t.signal.counts and t.weight >= least})


def told(term: Term, parameters: Mapping[str, object]) -> str:
    """A term in plain words."""
    return term.signal.says.format_map({**parameters, "value": shown(term.value)})


def shown(value: Fraction | None) -> str:
    """A value for people: whole, or with two decimals."""
    if value is None:
        return "unknown"
    if value.denominator == 1:
        return f"{value.numerator:,}"
    return f"{float(value):,.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Counterfactual:
    """What would have had to be different, a phrase for each signal, and the answer that it would give."""

    answer: Answer
    phrases: tuple[str, ...]


def counterfactual(scale: Scale, found: Sequence[Term]) -> Counterfactual | None:
    """The smallest change of signals that would make the answer milder.

    Smallest: as few signals as possible, and of those the least weight. None: it is no clone as it is, or it
    would take more changes than anybody can use.
    """
    now = scale.answer(score_of(scale.weights, found), signals_of(scale.weights, found))
    if now == "not_a_clone":
        return None
    options = [list(_milder(term)) for term in found]
    places = [place for place, milder in enumerate(options) if milder]
    for size in range(1, min(MOST_CHANGES, len(places)) + 1):
        best: tuple[int, Counterfactual] | None = None
        for chosen in combinations(places, size):
            for changes in product(*(options[place] for place in chosen)):
                changed = list(found)
                for place, (weight, _) in zip(chosen, changes, strict=True):
                    changed[place] = Term(found[place].signal, found[place].value, weight)
                answer = scale.answer(score_of(scale.weights, changed), signals_of(scale.weights, changed))
                if answer == now:
                    continue
                lost = sum(found[place].weight - changed[place].weight for place in chosen)
                if best is None or lost < best[0]:
                    best = (lost, Counterfactual(answer, tuple(phrase for _, phrase in changes)))
        if best is not None:
            return best[1]
    return None


def _milder(term: Term) -> Iterator[tuple[int, str]]:
    """Weights that a signal would have with another value, each with the value in words."""
    if term.value is None or not term.weight:
        return
    signal = term.signal
    facts = known_facts()
    title = facts[signal.fact].title
    if signal.per is not None:
        title = f"{title} per {facts[signal.per].title}"
    if facts[signal.fact].type == "BOOLEAN":
        other = 1 - term.value
        weight = _weight(signal, other)
        if weight < term.weight:
            yield (
                weight,
                f"“{title}” were {'yes' if other else 'no'} instead of {'yes' if term.value else 'no'}",
            )
        return
    first = Fraction(signal.bins[0].start)
    bounds: list[tuple[int, Fraction | None, Fraction | None]] = [(0, None, first)]
    for place, entry in enumerate(signal.bins):
        after = Fraction(signal.bins[place + 1].start) if place + 1 < len(signal.bins) else None
        bounds.append((thousandths(entry.weight), Fraction(entry.start), after))
    for weight, start, end in bounds:
        if weight >= term.weight:
            continue
        if end is not None and 0 < end <= term.value:
            yield weight, f"“{title}” were below {shown(end)} instead of {shown(term.value)}"
        elif start is not None and start > term.value:
            yield weight, f"“{title}” were {shown(start)} or more instead of {shown(term.value)}"


def _value(signal: Signal, facts: Mapping[str, object]) -> Fraction | None:
    value = facts.get(signal.fact)
    if value is None:
        return None
    if signal.per is None:
        return Fraction(int(str(int(value) if isinstance(value, bool) else value)))
    divisor = facts.get(signal.per)
    if divisor is None or int(str(divisor)) <= 0:
        return None
    return Fraction(int(str(value)), int(str(divisor)))


def _weight(signal: Signal, value: Fraction | None) -> int:
    if value is None:
        return 0
    reached = [b for b in signal.bins if value >= Fraction(b.start)]
    return thousandths(reached[-1].weight) if reached else 0


def _term_sql(signal: Signal) -> str:
    cases = " ".join(
        f"WHEN {_reaches(signal, b)} THEN {thousandths(b.weight)}" for b in reversed(signal.bins)
    )
    return f"CASE {cases} ELSE 0 END"


def _reaches(signal: Signal, entry: Bin) -> str:
    """Predicate: the value is in this bin or above; null where it is unknown."""
    if signal.per is not None:
        return (
            f"({signal.per} > 0 AND CAST({signal.fact} AS BIGINT) * {THOUSANDTHS} >= "
            f"CAST({signal.per} AS BIGINT) * {thousandths(entry.start)})"
        )
    fact = signal.fact
    if known_facts()[fact].type == "BOOLEAN":
        fact = f"CASE WHEN {fact} IS NULL THEN NULL WHEN {fact} THEN 1 ELSE 0 END"
        return f"({fact}) >= {int(entry.start)}"
    return f"{fact} >= {int(entry.start)}"
