"""A score and a ladder in plain words: what speaks for several devices, and for whose device is genuine."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ceir.clock import day_of
from ceir.facts import all_facts
from ceir.pipeline.catalogue import Run
from ceir.pipeline.classify.claiming import claiming_of, name_past_claims
from ceir.pipeline.engines import Engine
from ceir.pipeline.workspace import Workspace
from ceir.policy import Policy, RuleUse
from ceir.weights.declaration import THOUSANDTHS, thousandths
from ceir.weights.scale import scale_of
from ceir.weights.scoring import Answer, counterfactual, score_of, signals_of, terms, told

WOULD_BE: Mapping[Answer, str] = {
    "clone": "be called a clone",
    "undecided": "be undecided",
    "not_a_clone": "not be suspected",
}


@dataclass(frozen=True)
class ExplainedScore:
    """How a score came about.

    Args:
        prior: what every identity of several subscribers begins with.
        terms: what each signal that speaks says, and what it adds.
        silent: signals that are known and weigh nothing.
        unknown: signals of which nothing is known: they add nothing.
        counterfactual: a sentence: what would have had to be different; empty: nothing simple.
    """

    weights: str
    calibrated: bool
    answer: Answer
    score: Decimal
    prior: Decimal
    clone_at: Decimal
    clear_at: Decimal
    signals: int
    least_signals: int
    terms: tuple[tuple[str, Decimal], ...]
    silent: tuple[str, ...]
    unknown: tuple[str, ...]
    counterfactual: str


@dataclass(frozen=True)
class ExplainedClaim:
    """What the ladder says of a line that uses the identity.

    Args:
        line: its number among the identity's lines.
        imsi: empty unless subscribers were asked for.
        person: lines of one registered person share the number.
        says: the rungs that speak, in words, each with what it adds.
        margin: by how much the person leads everybody else; None: nobody else is there.
    """

    line: int
    imsi: str
    person: int
    answer: str
    score: Decimal
    margin: Decimal | None
    says: tuple[tuple[str, Decimal], ...]
    side_by_side: int | None
    proposal: str
    since: date
    stops_on: date | None


def explain_score(use: RuleUse, facts: Mapping[str, object]) -> ExplainedScore:
    """The score of an identity from the facts stored with its verdict."""
    scale = scale_of(use.parameters)
    weights = scale.weights
    found = terms(weights, facts)
    score, signals = score_of(weights, found), signals_of(weights, found)
    other = counterfactual(scale, found)
    sentence = f"It would {WOULD_BE[other.answer]} if {' and '.join(other.phrases)}." if other else ""
    return ExplainedScore(
        weights=weights.name,
        calibrated=weights.calibrated,
        answer=scale.answer(score, signals),
        score=_shown(score),
        prior=_shown(thousandths(weights.score.prior)),
        clone_at=_shown(scale.clone_at),
        clear_at=_shown(scale.clear_at),
        signals=signals,
        least_signals=scale.least_signals,
        terms=tuple((told(t, use.parameters), _shown(t.weight)) for t in found if t.weight),
        silent=tuple(_plain(t.signal.fact) for t in found if t.value is not None and not t.weight),
        unknown=tuple(_plain(t.signal.fact) for t in found if t.value is None),
        counterfactual=sentence,
    )


def explain_claims(
    engine: Engine, workspace: Workspace, policy: Policy, run: Run, number: int, *, subscribers: bool
) -> tuple[ExplainedClaim, ...]:
    """The ladder of an identity as a run left it.

    Args:
        subscribers: name them; otherwise lines and persons are numbers only.
    """
    claiming = claiming_of(policy, frozenset(run.list_states))
    if claiming is None or run.claims is None:
        return ()
    name_past_claims(engine, workspace, "claims", run)
    weights = claiming.weights.ladder.rungs
    rows = engine.rows(
        "SELECT imsi, person, answer, score, margin, terms, side_by_side, proposal, since, stops_on "
        f"FROM claims WHERE imei = {number} ORDER BY imsi"
    )
    return tuple(
        ExplainedClaim(
            line=line,
            imsi=str(imsi)[1:] if subscribers else "",
            person=int(str(person)),
            answer=str(answer),
            score=_shown(int(str(score))),
            margin=None if margin is None else _shown(int(str(margin))),
            says=tuple(
                (rung.says, weights[rung.name])
                for place, rung in enumerate(claiming.rungs)
                if int(str(mask)) >> place & 1
            ),
            side_by_side=None if beside is None else int(str(beside)),
            proposal=str(proposal),
            since=day_of(int(str(since))),
            stops_on=None if stops is None else day_of(int(str(stops))),
        )
        for line, (imsi, person, answer, score, margin, mask, beside, proposal, since, stops) in enumerate(
            rows, 1
        )
    )


def _shown(score: int) -> Decimal:
    return Decimal(score) / THOUSANDTHS


def _plain(fact: str) -> str:
    return all_facts()[fact].title.lower()
