"""A blocking condition that matches more than its policy thinks possible stops the run."""

from datetime import date
from pathlib import Path

import pytest

from building import Register, model_row, tree
from ceir.errors import UsageError
from ceir.pipeline.classify.running import TooManyMatchesError

DAY = date(2026, 3, 31)

POLICY = """
name = "fuses"
[country]
name = "Fuseland"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[conditions.stolen]
all = [{ rule = "stolen_local" }]
reason = "Stolen"
grace_days = 0
blocking = true
max_match_ratio = 0.3
[conditions.unallocated]
all = [{ rule = "tac_not_allocated" }]
reason = "Never allocated"
blocking = true
max_match_ratio = 0.3
[conditions.malformed]
all = [{ rule = "imei_malformed" }]
reason = "Malformed"
blocking = false
max_match_ratio = 0.1
"""


def seen(imei: str) -> str:
    return f"20260315,{imei},111010000000001,220000000001,002"


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """Ten devices seen, three of them with a TAC that nobody was given, five malformed."""
    made = Register.make(tmp_path / "register", POLICY)
    made.take("tac", [model_row("35100001")], DAY)
    good = [f"3510000100000{n}" for n in range(2)]
    strange = [f"3599999900000{n}" for n in range(3)]
    broken = [f"35100001{n}" for n in range(5)]
    made.take("observations", map(seen, good + strange + broken), DAY, operator="operator1")
    return made


def test_exactly_at_its_limit_a_condition_goes_on(register: Register) -> None:
    run = register.classify(DAY, accepted={})
    shares = {c.condition: (c.matched, c.share) for c in run.counts}
    assert shares == {"stolen": (0, 0.0), "unallocated": (3, 0.3), "malformed": (5, 0.5)}


def test_above_its_limit_the_run_stops_and_changes_nothing(register: Register) -> None:
    register.take("stolen", [f"3510000100000{n},20260301," for n in range(4)], DAY)
    before = tree(register.root)
    with pytest.raises(TooManyMatchesError, match=r"stolen matches 4 pieces of equipment, 40\.00% of all"):
        register.classify(DAY, accepted={})
    assert tree(register.root) == before


def test_the_message_names_every_condition_that_matches_too_much(register: Register) -> None:
    register.take("stolen", [f"3510000100000{n},20260301," for n in range(4)], DAY)
    register.take("tac", [model_row("35888888")], DAY)
    with pytest.raises(TooManyMatchesError, match=r"stolen .*; unallocated matches 10"):
        register.classify(DAY, accepted={})


def test_equipment_that_was_never_seen_counts_against_the_limit(register: Register) -> None:
    register.take("stolen", [f"8610000100000{n},20260301," for n in range(4)], DAY)
    with pytest.raises(TooManyMatchesError):
        register.classify(DAY, accepted={})


def test_who_accepts_it_goes_on_and_the_reason_is_recorded(register: Register) -> None:
    register.take("stolen", [f"3510000100000{n},20260301," for n in range(4)], DAY)
    run = register.classify(DAY, accepted={"stolen": "a raid found a warehouse"})
    assert run.accepted == {"stolen": "a raid found a warehouse"}
    kept = register.workspace.catalogue().runs[-1]
    assert kept.accepted == run.accepted
    assert '"a raid found a warehouse"' in (register.root / "runs/00001/run.json").read_text()
    assert len(register.verdicts()) == 4 + 3 + 5


def test_accepting_another_condition_does_not_help(register: Register) -> None:
    register.take("stolen", [f"3510000100000{n},20260301," for n in range(4)], DAY)
    with pytest.raises(TooManyMatchesError):
        register.classify(DAY, accepted={"unallocated": "known"})


def test_a_condition_that_does_not_exist_cannot_be_accepted(register: Register) -> None:
    before = tree(register.root)
    with pytest.raises(UsageError, match="no condition 'stolne'"):
        register.classify(DAY, accepted={"stolne": "typing"})
    assert tree(register.root) == before


def test_a_stopped_run_leaves_the_next_one_as_if_it_had_not_been_tried(
    register: Register, tmp_path: Path
) -> None:
    register.classify(date(2026, 3, 20), accepted={})
    untried = register.copy(tmp_path / "untried")
    wrong = register.take("stolen", [f"3510000100000{n},20260301," for n in range(4)], DAY)
    with pytest.raises(TooManyMatchesError):
        register.classify(DAY, accepted={})
    register.undo(wrong)
    register.run(DAY)
    untried.run(DAY)
    assert register.export() == untried.export()
    assert register.list_bytes() == untried.list_bytes()
