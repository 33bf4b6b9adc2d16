"""From what a run says to figures and a report, on a world of four identities."""

from datetime import date
from pathlib import Path

from clones.cases import Case
from clones.filed import Filed
from clones.judging import judge
from clones.report import write_report
from clones.running import PEER, SHARED, WINDOW, Answers, conditions, policy_text
from clones.truths import Identity, Line
from clones.tuning import training
from clones.worlds import World

from ceir.policy.loading import parse_policy

DAY = date(2026, 10, 31)
WEIGHTS = Filed(
    "clones-9",
    {
        "score": {"prior": -4.0, "clone_at": 2.0, "clear_at": -1.0},
        "signals": [
            {"fact": "overlap_days", "kind": "overlap", "bins": [{"from": 1, "weight": 4.0}]},
            {"fact": "journey_days", "kind": "journey", "bins": [{"from": 1, "weight": 3.0}]},
        ],
    },
)


def identity(imei: str, klass: str, story: str = "ordinary") -> Identity:
    lines = (Line("1", "operator1", True, True), Line("2", "operator2", not klass, True))
    return Identity("country-1", imei, klass, story, int(bool(klass)), DAY if klass else None, False, lines)


def case(cloned: frozenset[str], claims: dict[tuple[str, str], str] | None = None) -> Case:
    truth = {
        i.imei: i
        for i in (
            identity("a", "clone_far"),
            identity("b", "clone_near"),
            identity("c", "", "courier"),
            identity("d", ""),
        )
    }
    facts = {
        "a": {"overlap_days": 5, "journey_days": 3},
        "b": {"overlap_days": 2, "journey_days": 0},
        "c": {"overlap_days": None, "journey_days": 2},
        "d": {"overlap_days": 0, "journey_days": 0},
    }
    matched = {
        SHARED: frozenset(facts),
        "peer_daily": frozenset("c"),
        "signal_impossible_journey": frozenset("ac"),
    }
    answers = Answers(DAY, {**matched, "cloned": cloned}, facts, claims, {})
    return Case(World("country", 1, 500), "sightings", truth, answers, {"observations": 10})


def test_the_figures_of_a_set_are_those_of_its_cases() -> None:
    found = judge([case(frozenset("a"))], WEIGHTS, seed=1)
    assert found["fused"]["precision"]["value"] == 1.0
    assert found["fused"]["recall"]["value"] == 0.5
    assert found["peer"]["precision"]["value"] == 0.0
    assert found["peer"]["false_calls"] == {"courier": 1}
    assert found["signals"]["impossible_journey"]["precision"]["value"] == 0.5
    assert found["fused"]["reckoned_otherwise"] == 0
    assert found["rows"] == {"observations": 10}


def test_a_score_of_the_product_that_differs_from_its_file_is_counted() -> None:
    assert judge([case(frozenset("ab"))], WEIGHTS, seed=1)["fused"]["reckoned_otherwise"] == 1


def test_without_the_only_other_kind_of_evidence_nothing_is_called() -> None:
    found = judge([case(frozenset("a"))], WEIGHTS, seed=1)
    assert found["ablation"]["journey"]["recall"]["hits"] == 0


def test_the_curve_holds_only_what_two_kinds_of_evidence_speak_against() -> None:
    (point,) = judge([case(frozenset("a"))], WEIGHTS, seed=1)["curve"]
    assert point == {"at": 3.0, "precision": 1.0, "recall": 0.5}


def test_claims_tell_who_is_cut() -> None:
    claims = {("a", "1"): "genuine", ("a", "2"): "clone"}
    found = judge([case(frozenset("a"), claims)], WEIGHTS, seed=1)["fused"]
    assert found["wrongly_cut_per_1000_cut"]["value"] == 0.0
    assert found["wrongly_cut_per_1000_cut_if_blocked_whole"]["value"] == 500.0
    assert found["picks"]["right"]["value"] == 1.0


def test_a_report_shows_each_set_and_says_that_it_is_not_the_field(tmp_path: Path) -> None:
    figures = judge([case(frozenset("a"))], WEIGHTS, seed=1)
    result = {
        "measured_on": "2026-10-31",
        "lines_a_world": 500,
        "weights": {"name": "clones-9", "sha256": "0" * 64},
        "worlds_sha256": {"B": "1" * 64},
        "cautions": ["Synthetic <precision> is not field precision."],
        "sets": {"B": {"sightings": figures}, "none": {"aggregate": figures}},
    }
    write_report(result, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "Synthetic &lt;precision&gt; is not field precision." in text
    assert text.count("<svg") == 2
    assert "<script" not in text
    assert "Worlds without clones" in text


def test_only_shared_identities_that_count_are_trained_on() -> None:
    candidates, bins, copied = training([case(frozenset())])
    assert bins.shape[0] == 4
    assert copied.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert all(candidate.fact in {"overlap_days", "journey_days"} for candidate in candidates)


def test_the_benchmark_policy_is_one_that_the_product_obeys() -> None:
    policy = parse_policy(policy_text(World("country", 1, 500).operators), "bench")
    assert set(policy.conditions) == set(conditions(None))
    assert set(PEER) <= set(policy.conditions)
    assert not any(condition.blocking for condition in policy.conditions.values())
    # The facts of the score's window come first and so keep their plain names in the evidence.
    assert next(iter(policy.conditions)) == SHARED
    assert policy.conditions[SHARED].all[0].parameters["window_days"] == WINDOW
