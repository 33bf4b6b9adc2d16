"""What an appeal restored has no consequence, and nothing else changes by it."""

from datetime import date
from pathlib import Path

from building import Register, compact
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.explaining import explain

from .conditions import BARRED, HEAD, STOLEN, WATCHED

D = date(2026, 3, 31)
A, B = "35100001000001", "35100001000002"
TOLD = ("notifications", "operator1")


def country(tmp_path: Path, *parts: str) -> Register:
    """A register under a policy of these parts, which saw some equipment."""
    register = Register.make(tmp_path / "register", 'mode = "permissive"\n' + HEAD + "".join(parts))
    used = [f"{compact(D)},{imei},111010000000001,220000000001,006" for imei in (A, B, "ABC")]
    register.take("observations", used, D, operator="operator1")
    return register


def test_an_appeal_takes_the_consequence_from_one_condition_and_leaves_the_others(tmp_path: Path) -> None:
    register = country(tmp_path, WATCHED, BARRED, STOLEN)
    register.take("barred", [A, B, "ABC"], D)
    register.take("stolen", [f"{A},,"], D)
    register.take("appeals", [f"{A},barred", f"{B},barred", "ABC,barred", f"{B},stolen"], D)
    register.run(D)
    assert register.rows("blocked") == [(A, compact(D), "Stolen")]
    assert register.rows("tracked") == register.rows(TOLD) == []
    assert {(row[0], row[1]) for row in register.rows("decisions")} == {
        (A, "blocked"), (B, "trial"), ("ABC", "trial"),
    }  # fmt: skip
    assert register.labels() == {A: {"barred", "stolen"}, B: {"barred"}, "ABC": {"barred"}}


def test_what_an_appeal_restored_makes_nobody_tracked_and_is_told_of_who_is_as_a_trial_is(
    tmp_path: Path,
) -> None:
    register = country(tmp_path, WATCHED, BARRED, STOLEN.replace("blocking = true", "blocking = false"))
    register.take("barred", [A, B], D)
    register.take("stolen", [f"{A},,"], D)
    register.take("monitored", [A], D)
    register.take("appeals", [f"{A},barred", f"{B},barred"], D)
    register.run(D)
    reasons = "Barred|Stolen|Watched"
    assert register.rows("tracked") == [(A, compact(D), reasons)]


def test_once_an_appeal_is_taken_back_the_block_date_is_the_one_that_it_always_was(tmp_path: Path) -> None:
    register = country(tmp_path, BARRED, WATCHED)
    register.take("barred", [A], D)
    register.take("monitored", [A], D)
    register.run(D)
    told = register.rows(TOLD)
    appeal = register.take("appeals", [f"{A},barred", f"{A},watched"], D)
    register.run(D)
    assert register.rows(TOLD) == register.rows("tracked") == []
    register.undo(appeal)
    register.run(D)
    assert register.rows(TOLD) == told != []


def test_it_is_explained_as_what_it_is(tmp_path: Path) -> None:
    register = country(tmp_path, BARRED, STOLEN)
    register.take("barred", [A], D)
    register.take("appeals", [f"{A},barred", f"{B},barred"], D)
    register.run(D)
    engine = DuckEngine(register.limits)
    try:
        told = explain(register.workspace, A, engine)
        other = explain(register.workspace, B, engine)
    finally:
        engine.close()
    assert (told.outcome, other.outcome) == ("trial", "none")
    assert told.next_steps[-1] == "An appeal restored it, so that this does not count: barred."
    assert len(other.next_steps) == 1
