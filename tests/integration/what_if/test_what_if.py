"""A replay beside the workspace: what a real chain of runs would have given, and nothing changed by "
"looking."""

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from building import Register, compact, model_row, tree
from ceir.cli._what_if_page import page
from ceir.errors import UsageError
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.what_if import WhatIf, WhatIfError, WhatIfRequest, what_if
from ceir.pipeline.what_if.known import Past
from ceir.pipeline.what_if.replaying import replay
from ceir.policy import load_policy
from ceir.policy.calibration import (
    Calibration,
    CalibrationError,
    ConditionCalibration,
    load_calibration,
    meaning_of,
)

HEAD = """
name = "whatif"
version = 1
[country]
name = "Whatifia"
country_codes = ["22"]
[[operators]]
id = "operator1"
name = "One"
plmns = ["111-01"]
[[operators]]
id = "operator2"
name = "Two"
plmns = ["111-02"]
[lists]
look_back_days = 60
"""
STOLEN = """
[conditions.stolen]
all = [{ rule = "stolen_local" }]
reason = "Stolen"
grace_days = 0
blocking = true
max_match_ratio = 1.0
"""
SHARED = """
[conditions.shared]
all = [{ rule = "too_many_imsis", threshold = 3, window_days = 30 }]
reason = "Shared"
grace_days = 10
blocking = true
max_match_ratio = 0.4
"""
OLD, NEW = HEAD + STOLEN, HEAD.replace("version = 1", "version = 2") + STOLEN + SHARED

FIRST = date(2026, 3, 1)
A, B, C = "35100001000001", "35100001000002", "35100002000003"
"""Shared by three, stolen, and nobody's business."""

Look = Callable[..., WhatIf]


def week(number: int) -> date:
    """The last day of a week of files."""
    return FIRST + timedelta(days=7 * number + 6)


def rows(number: int, operator: int) -> list[str]:
    """A week's observations of an operator."""
    day = week(number) - timedelta(days=1)
    if operator == 1:
        return [f"{compact(day)},{A},11101000000000{n},22000000000{n},006" for n in (1, 2)] + [
            f"{compact(day)},{B},111010000000005,220000000005,006"
        ]
    return [f"{compact(day)},{A},111020000000003,220000000003,006",
            f"{compact(day)},{C},111020000000004,220000000004,006"]  # fmt: skip


def deliver(register: Register, number: int) -> None:
    """What comes in a week: observations of both operators, now and then a list, once a delta."""
    day = week(number)
    if number == 0:
        register.take(
            "tac", [model_row("35100001", "GSM 900"), model_row("35100002", maker="Boreas", name="B<2>")], day
        )
        register.take("pairings", [f"{A},111010000000001,220000000001"], day)
        register.take("stolen", [f"{C},,pending"], day)
        register.take("subscribers", ["P1,111010000000001", "P1,111010000000002", "P2,111020000000003"], day)
    if number == 2:
        register.take("stolen", [f"{B},,"], day)
    if number == 4:
        register.take("stolen", [f"{A},,,add", f"{B},,,remove"], day, delta=True)
    for operator in (1, 2):
        lines = rows(number, operator)
        register.take("observations", lines, day, operator=f"operator{operator}")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Register:
    """Six weeks of files under the old policy, with runs of the first two weeks."""
    register = Register.make(tmp_path_factory.mktemp("grown") / "register", OLD)
    for number in range(6):
        deliver(register, number)
        if number < 2:
            register.run(week(number))
    return register


@pytest.fixture
def look(grown: Register, tmp_path: Path) -> Look:
    """Ask the grown register what a policy would do."""
    numbers = itertools.count()

    def looking(text: str, **asked: object) -> WhatIf:
        file = tmp_path / f"policy{next(numbers)}.toml"
        file.write_text(text, encoding="utf-8")
        engine = DuckEngine(grown.limits)
        try:
            request = WhatIfRequest(file, **asked)  # type: ignore[arg-type]  # as the test says
            return what_if(grown.workspace, request, engine, tmp_path / f"runs{next(numbers)}", grown.limits)
        finally:
            engine.close()

    return looking


def test_the_policy_in_force_makes_no_difference_and_nothing_is_written(grown: Register, look: Look) -> None:
    before = tree(grown.root)
    found = look(OLD)
    assert found.difference.is_none
    assert found.difference.examples == ()
    assert found.new == found.in_force.model_copy(update={"sha256": found.new.sha256})
    assert {name: told for name, told in tree(grown.root).items() if not name.startswith("tmp/")} == {
        name: told for name, told in before.items() if not name.startswith("tmp/")
    }


def test_a_replay_gives_what_a_real_chain_of_runs_would_have_given(grown: Register, tmp_path: Path) -> None:
    real = Register.make(tmp_path / "real", OLD)
    days = tuple(week(number) for number in range(2, 6))
    for number in range(6):
        deliver(real, number)
        if number == 2:
            real.set_policy(NEW)
        real.classify(week(number))
    file = tmp_path / "new.toml"
    file.write_text(NEW, encoding="utf-8")
    engine = DuckEngine(grown.limits)
    past = Past(grown.workspace, grown.workspace.catalogue(), tmp_path / "then", grown.limits)
    try:
        done = replay(past, file, days, "new", engine, tmp_path / "scratch")
    finally:
        engine.close()
    replayed = Register(done.workspace.root, real.limits, real.engine)
    for made, run in zip(done.runs, real.workspace.catalogue().runs[2:], strict=True):
        assert (made.as_of, made.counts, made.equipment) == (run.as_of, run.counts, run.equipment)
        assert replayed.verdicts(made.id) == real.verdicts(run.id)
    assert any(v.rule == "shared" for v in real.verdicts())
    assert [s.blocked for s in done.measured.steps] == [1, 1, 1, 1], (
        "the stolen one, then the shared one instead"
    )


def test_who_would_be_told_and_cut_is_counted_by_everything_that_is_known(look: Look) -> None:
    found = look(NEW, since=week(2))
    new = found.new
    assert (new.notified.devices, new.cut.devices) == (1, 2)
    # of the shared one a line is paired: it goes on working
    assert (new.notified.lines, new.notified.persons) == (2, 2)
    assert {g.name: g.cut.devices for g in new.conditions} == {"stolen": 2, "shared": 1}
    assert {g.name: g.cut.lines for g in new.operators} == {"One": 2, "Two": 1}
    assert {g.name for g in new.makers} == {"Aster"}
    assert {g.name: g.cut.devices for g in new.ages} == {"5 to 8 years": 2}
    assert [g.name for g in new.regions] == [None]
    assert {o.name: o.count.devices for o in new.overlaps} == {"paired": 1}
    assert [(f.condition, f.as_of) for f in new.fuses] == []
    difference = found.difference
    assert (difference.newly_cut.devices, difference.no_longer_cut.devices) == (0, 0)
    assert {(c.condition, c.before, c.after) for c in difference.conditions} == {
        ("stolen", 1, 1),
        ("shared", 0, 1),
    }


def test_lines_that_go_on_are_no_longer_cut_though_their_device_is(grown: Register, tmp_path: Path) -> None:
    register = grown.copy(tmp_path / "copied")
    register.set_policy(HEAD + SHARED)
    file = tmp_path / "sparing.toml"
    file.write_text(HEAD + SHARED + 'exceptions = "present"\n', encoding="utf-8")
    engine = DuckEngine(register.limits)
    try:
        request = WhatIfRequest(file, since=week(2))
        found = what_if(register.workspace, request, engine, tmp_path / "runs", register.limits)
    finally:
        engine.close()
    assert (found.in_force.cut.devices, found.in_force.cut.lines) == (1, 2)
    assert (found.new.cut.devices, found.new.cut.lines) == (1, 0)
    gone, come = found.difference.no_longer_cut, found.difference.newly_cut
    assert (gone.devices, gone.lines, gone.persons) == (0, 2, 2)
    assert (come.devices, come.lines) == (0, 0)
    assert not found.difference.is_none
    kept = {o.name: o.count for o in found.new.overlaps}["excepted"]
    # the third is paired, and goes on under both policies
    assert (kept.devices, kept.lines) == (1, 3)
    assert "lines cut today" in page(found)


def test_what_a_laxer_policy_no_longer_cuts_is_named(look: Look) -> None:
    found = look(HEAD + STOLEN.replace("blocking = true\nmax_match_ratio = 1.0", "blocking = false"))
    assert found.difference.no_longer_cut.devices == 1
    assert found.difference.examples == (("no longer cut", A),)


def test_a_fuse_is_told_and_the_replay_goes_on(look: Look) -> None:
    found = look(NEW.replace("max_match_ratio = 0.4", "max_match_ratio = 0.01"), since=week(2))
    assert [(f.condition, f.as_of) for f in found.new.fuses] == [("shared", week(2))]
    assert len(found.new.steps) == 4


def test_lists_of_today_count_on_every_day_where_that_is_asked_for(look: Look) -> None:
    then, now = (look(OLD, lists=lists) for lists in ("then", "now"))
    assert [s.blocked for s in then.new.steps] == [0, 0, 0, 1, 1, 1]
    assert [s.blocked for s in now.new.steps] == [1] * 6


def test_a_longer_grace_than_the_replay_is_told(look: Look) -> None:
    found = look(NEW.replace("grace_days = 10", "grace_days = 90"))
    assert found.new.cut.devices == 2
    assert any("shorter than the grace of: shared" in note for note in found.notes)
    assert found.new.notified_last.devices == 0, "the shared one is stolen too, and so cut already"


# calibration


def calibrated(text: str, policy: str, tmp_path: Path, low: str = "0.9") -> tuple[Calibration, str]:
    file = tmp_path / "calibrated.toml"
    file.write_text(policy, encoding="utf-8")
    conditions = load_policy(file)[0].conditions
    meanings = {label: meaning_of(condition) for label, condition in conditions.items()}
    made: Mapping[str, ConditionCalibration] = {
        label: ConditionCalibration(
            meaning=meanings[label],
            precision=Decimal("0.95"),
            low=Decimal(low),
            high=Decimal(1),
            lines=100,
            provenance="made for a test",
        )
        for label in text.split()
    }
    calibration = Calibration(
        format=1, title="test", field=False, confidence=Decimal("0.95"), conditions=made
    )
    return calibration, "0" * 64


def test_without_a_calibration_no_number_is_told(look: Look) -> None:
    found = look(NEW)
    assert (found.expected.wrong, found.expected.low, found.expected.high) == (None, None, None)
    assert {c.why for c in found.calibration} == {"not calibrated"}
    assert all(c.precision is None for c in found.calibration)


def test_expected_wrong_cuts_rest_on_the_best_measured_condition_of_each_line(
    look: Look, tmp_path: Path
) -> None:
    found = look(NEW, since=week(2), calibration=calibrated("shared", NEW, tmp_path))
    expected = found.expected
    assert (expected.calibrated, expected.uncalibrated) == (2, 1), "one was stolen only"
    found = look(NEW, since=week(2), calibration=calibrated("stolen", NEW, tmp_path))
    expected = found.expected
    assert (expected.calibrated, expected.uncalibrated) == (3, 0)
    assert expected.wrong == pytest.approx(0.15)
    assert (expected.low, expected.high) == (0, pytest.approx(0.3))
    assert expected.per_1000(expected.high) == pytest.approx(100)


def test_what_was_measured_of_another_threshold_says_nothing(look: Look, tmp_path: Path) -> None:
    other = NEW.replace("threshold = 3", "threshold = 4")
    found = look(NEW, calibration=calibrated("shared", other, tmp_path))
    assert {c.condition: c.why for c in found.calibration} == {
        "stolen": "not calibrated",
        "shared": "calibrated with other rules or parameters only",
    }
    assert found.expected.wrong is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "format = 2",
        "\xff",
        "format = 1\ntitle = 'x'\nfield = true\nconfidence = 1.5\n[conditions]",
        "format = 1\ntitle = 'x'\nfield = true\nconfidence = 0.9\n[conditions.a]\nmeaning = 'zz'",
        "format = 1\ntitle = 'x'\nfield = true\nconfidence = 0.9\n[conditions.a]\nmeaning = "
        "'0123456789abcdef'\n"
        "precision = 0.5\nlow = 0.6\nhigh = 0.7\nlines = 1\nprovenance = 'x'",
        "format = 1\ntitle = 'x'\nfield = true\nconfidence = 0.9\nmore = 1\n[conditions]",
    ],
)
def test_a_calibration_that_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "calibration.toml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(CalibrationError):
        load_calibration(file)
    with pytest.raises(CalibrationError):
        load_calibration(tmp_path / "nothing.toml")


# what cannot be asked


def test_days_that_cannot_be_are_refused(look: Look) -> None:
    with pytest.raises(UsageError):
        look(OLD, since=week(9))
    with pytest.raises(UsageError):
        look(OLD, every=0)


def test_an_empty_workspace_has_nothing_to_replay(tmp_path: Path) -> None:
    register = Register.make(tmp_path / "register", OLD)
    engine = DuckEngine(register.limits)
    try:
        with pytest.raises(WhatIfError):
            what_if(
                register.workspace,
                WhatIfRequest(register.root / "policy.toml"),
                engine,
                tmp_path / "runs",
                register.limits,
            )
    finally:
        engine.close()


def test_the_answer_can_be_written_and_read_again(look: Look) -> None:
    found = look(NEW)
    text = json.dumps(found.model_dump(mode="json"))
    assert WhatIf.model_validate_json(text) == found
