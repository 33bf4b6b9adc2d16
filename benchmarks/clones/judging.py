"""Figures of a set of worlds: the peer's rules, each signal, and the score with its curve and ablations."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from clones.cases import Case, peer
from clones.filed import Filed
from clones.running import SHARED
from clones.scoring import Claim, Scored, curve, least_recall_at
from clones.truths import Identity

Called = set[tuple[str, str]]


def judge(cases: Sequence[Case], weights: Filed | None, seed: int) -> dict[str, Any]:
    """All figures of the cases of one set in one mode."""
    truth = [identity for case in cases for identity in case.truth.values()]
    labels = sorted({label for case in cases for label in case.answers.matched})
    result: dict[str, Any] = {"worlds": [case.world.name for case in cases], **_size(truth, cases)}

    def called(pick: Callable[[Case], Collection[str]]) -> Called:
        return {(case.world.name, imei) for case in cases for imei in pick(case)}

    def of_label(label: str) -> Called:
        return called(lambda case: case.answers.matched.get(label, ()))

    result["peer"] = figures(truth, called(lambda case: peer(case.answers)), None, seed)
    result["signals"] = {
        label.removeprefix("signal_"): brief(truth, of_label(label), seed)
        for label in labels
        if label.startswith("signal_")
    }
    if weights is None:
        return result
    product = any("cloned" in case.answers.matched or case.answers.scores for case in cases)
    answers = {key: weights.answer(facts) for key, facts in _facts(cases).items()}
    reckoned = {key for key, answer in answers.items() if answer == "clone"}
    fused = of_label("cloned") if product else reckoned
    claims = {key: Claim(answer) for case in cases for key, answer in (case.answers.claims or {}).items()}
    told = claims if any(case.answers.claims is not None for case in cases) else None
    result["fused"] = {
        **figures(truth, fused, told, seed),
        "by_product": product,
        "undecided": len(of_label("perhaps_cloned"))
        if product
        else sum(a == "undecided" for a in answers.values()),
        "reckoned_otherwise": len(reckoned ^ fused),
        "innocent_undecided": innocent(
            truth,
            of_label("perhaps_cloned") if product else {k for k, a in answers.items() if a == "undecided"},
        ),
    }
    if told is not None:
        scored = Scored.of(truth, fused, seed)
        result["fused"]["picks"] = {name: rate.as_json() for name, rate in scored.picks(told).items()}
    points = curve(truth, _able(cases, weights))
    result["curve"] = points
    result["recall_at_precision"] = {
        str(p): least_recall_at(points, p) for p in (0.9, 0.95, 0.99, 0.999, 1.0)
    }
    result["ablation"] = {
        kind: brief(truth, {k for k, f in _facts(cases).items() if weights.answer(f, kind) == "clone"}, seed)
        for kind in weights.kinds
    }
    return result


def figures(
    truth: Collection[Identity], called: Called, claims: Mapping[tuple[str, str], Claim] | None, seed: int
) -> dict[str, Any]:
    """Everything about a set of calls."""
    scored = Scored.of(truth, called, seed)
    plain = scored.cut_lines(None)
    told: dict[str, Any] = {
        **brief(truth, called, seed),
        "by_class": {name: rate.as_json() for name, rate in scored.recalls().items()},
        "by_copies": {name: rate.as_json() for name, rate in scored.by_size().items()},
        "by_operator": {
            name: {kind: rate.as_json() for kind, rate in both.items()}
            for name, both in scored.by_operator().items()
        },
        "false_calls": scored.false_calls(),
        "wrongly_cut_per_1000_cut_if_blocked_whole": plain.as_json(1000),
        "lines_in_use": scored.lines_in_use(),
    }
    cut = plain
    if claims is not None:
        cut = scored.cut_lines(claims)
        told["wrongly_cut_per_1000_cut"] = cut.as_json(1000)
    told["wrongly_cut_per_million_lines"] = round(cut.hits / max(1, scored.lines_in_use()) * 1e6, 1)
    told["lines_cut"] = cut.of
    return told


def brief(truth: Collection[Identity], called: Called, seed: int) -> dict[str, Any]:
    """Precision and recall of a set of calls."""
    scored = Scored.of(truth, called, seed)
    return {"precision": scored.precision().as_json(), "recall": scored.recall().as_json()}


def innocent(truth: Collection[Identity], called: Called) -> dict[str, int]:
    """Innocent identities among the calls, by circumstance."""
    return Scored.of(truth, called).false_calls()


def _facts(cases: Sequence[Case]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (case.world.name, imei): facts
        for case in cases
        for imei, facts in case.answers.facts.items()
        if imei in case.answers.matched.get(SHARED, ())
    }


def _able(cases: Sequence[Case], weights: Filed) -> dict[tuple[str, str], float]:
    """Scores of the identities that enough independent kinds of evidence speak against."""
    judged = {key: weights.judge(facts) for key, facts in _facts(cases).items()}
    return {key: score for key, (score, speaks) in judged.items() if speaks >= 2}


def _size(truth: Sequence[Identity], cases: Sequence[Case]) -> dict[str, Any]:
    kept = [identity for identity in truth if not identity.set_aside]
    counts: dict[str, int] = {}
    for case in cases:
        for source, rows in case.counts.items():
            counts[source] = counts.get(source, 0) + rows
    return {
        "identities": len(kept),
        "shared": sum(identity.shared for identity in kept),
        "copied": sum(bool(identity.klass) for identity in kept),
        "rows": counts,
    }
