"""Weights from labels: they rise with the evidence, stay small where little was seen, and repeat."""

import numpy as np
from clones.candidates import CANDIDATES, Candidate, matrix
from clones.filed import Filed
from clones.fitting import Fitted, fit, speaking, thresholds

DAYS = Candidate("overlap_days", "overlap", "", (1, 3))
FLEET = Candidate("fleet_like", "passing", "", (1,), counts=False, falling=True)


def labelled() -> tuple[list[dict[str, object]], np.ndarray]:
    rows = (
        [{"overlap_days": 0}] * 90
        + [{"overlap_days": 1}] * 20
        + [{"overlap_days": 5}] * 20
        + [{"overlap_days": None}] * 10
    )
    copied = [0.0] * 88 + [1.0] * 2 + [0.0] * 12 + [1.0] * 8 + [1.0] * 19 + [0.0] + [0.0] * 10
    return rows, np.asarray(copied)


def test_a_stronger_signal_never_weighs_less_and_unknown_adds_nothing() -> None:
    rows, copied = labelled()
    fitted = fit((DAYS,), matrix((DAYS,), rows), copied, np.ones(len(copied)))
    ((_, bins),) = fitted.weights()
    weights = [weight for _, weight in bins]
    assert weights == sorted(weights)
    assert weights[0] > 0
    unknown, innocent = fitted.scores(matrix((DAYS,), [{"overlap_days": None}, {"overlap_days": 0}]))
    assert unknown == innocent == fitted.prior


def test_evidence_that_speaks_the_other_way_weighs_nothing() -> None:
    rows, copied = labelled()
    fitted = fit((DAYS,), matrix((DAYS,), rows), 1 - copied, np.ones(len(copied)))
    assert fitted.weights() == []


def test_a_falling_signal_weighs_where_it_is_low() -> None:
    rows = [{"fleet_like": True}] * 40 + [{"fleet_like": False}] * 40
    copied = np.asarray([0.0] * 40 + [1.0] * 30 + [0.0] * 10)
    ((_, bins),) = fit((FLEET,), matrix((FLEET,), rows), copied, np.ones(80)).weights()
    assert bins[0][0] == 0.0
    assert bins[0][1] > 0
    assert bins[-1] == (1, 0.0)


def test_fitting_twice_gives_the_same_numbers() -> None:
    rows, copied = labelled()
    one, two = (fit((DAYS,), matrix((DAYS,), rows), copied, np.ones(len(copied))) for _ in range(2))
    assert one == two


def test_the_threshold_lets_hardly_any_innocent_through() -> None:
    fitted = Fitted((DAYS,), -3.0, (2.0, 3.0))
    scores, copied = np.asarray([5.0, 4.0, 3.0, 2.0]), np.asarray([1.0, 1.0, 0.0, 1.0])
    clone_at, clear_at = thresholds(fitted, scores, copied, np.full(4, 2.0), margin=0.25)
    assert clone_at == 4.25
    assert -3.0 < clear_at < clone_at


def test_kinds_that_count_speak_once_each() -> None:
    twice = Candidate("journey_days", "overlap", "", (1,))
    fitted = Fitted((DAYS, twice, FLEET), -3.0, (2.0, 3.0, 1.0, 4.0))
    bins = matrix(fitted.candidates, [{"overlap_days": 1, "journey_days": 1, "fleet_like": False}])
    assert speaking(fitted, bins).tolist() == [1.0]


def test_a_file_reckoned_here_says_the_same_as_the_fit() -> None:
    rows, copied = labelled()
    fitted = fit((DAYS,), matrix((DAYS,), rows), copied, np.ones(len(copied)))
    signals = [
        {
            "fact": c.fact,
            "kind": c.kind,
            "bins": [{"from": begin, "weight": weight} for begin, weight in bins],
        }
        for c, bins in fitted.weights()
    ]
    filed = Filed(
        "x-1", {"score": {"prior": fitted.prior, "clone_at": 2.0, "clear_at": 0.0}, "signals": signals}
    )
    for facts, score in zip(rows, fitted.scores(matrix((DAYS,), rows)), strict=True):
        assert abs(filed.judge(facts)[0] - score) < 0.002
    assert filed.judge({"overlap_days": 5}, without="overlap")[0] == fitted.prior


def test_candidates_have_rising_bins_and_words_for_their_value() -> None:
    for candidate in CANDIDATES:
        assert list(candidate.edges) == sorted(candidate.edges)
        assert candidate.says.format(value=1, window_days=90)
    names = [candidate.fact for candidate in CANDIDATES]
    assert len(set(names)) == len(names)
