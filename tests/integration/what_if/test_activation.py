"""Putting a policy in force: what speaks against it is told, and somebody bears it by name or it stays "
"out."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from building import Register, compact
from ceir.errors import UsageError
from ceir.pipeline.activating import ActivationRefusedError, ActivationRequest, activate, needs_looking
from ceir.pipeline.catalogue import Activation
from ceir.pipeline.classify.running import PolicyNotActivatedError
from ceir.pipeline.what_if import WhatIf, data_fingerprint
from ceir.pipeline.what_if.result import Count, Difference, Expected, Side
from ceir.policy import load_policy

from .test_what_if import HEAD, SHARED, STOLEN, calibrated

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
D = date(2026, 3, 1)
BUDGET = "[budget]\nwrongly_cut_lines_per_1000 = {}\n"
OLD = HEAD + BUDGET.format(2) + STOLEN
NEW = OLD + SHARED


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A register under a budget, with a run."""
    made = Register.make(tmp_path / "register", OLD)
    made.take(
        "observations",
        [f"{compact(D)},35100001000001,111010000000001,220000000001,006"],
        D,
        operator="operator1",
    )
    made.classify(D)
    return made


@pytest.fixture
def put(register: Register, tmp_path: Path) -> Callable[..., Activation]:
    """Put a policy's text in force."""

    def putting(
        text: str, *, looked: bool = True, wrong: float | None = None, by: str = "", **asked: object
    ) -> Activation:
        file = tmp_path / "policy.toml"
        file.write_text(text, encoding="utf-8")
        found = seen(register, file, wrong, asked.get("calibration")) if looked else None
        request = ActivationRequest(file, AT, found, by=by, **asked)  # type: ignore[arg-type]  # as the test says
        return activate(register.workspace, request)

    return putting


def seen(register: Register, policy: Path, wrong: float | None, calibration: object) -> WhatIf:
    """A what-if of a policy on the register's data that would cut a thousand lines."""
    new, sha256 = load_policy(policy)
    side = Side(
        name=new.name, version=new.version, sha256=sha256, notified=Count(),
        cut=Count(devices=900, lines=1000),
        notified_last=Count(), blocked_last=Count(), steps=(), fuses=(), operators=(), regions=(), makers=(),
        models=(), ages=(), conditions=(), overlaps=(),
    )  # fmt: skip
    return WhatIf(
        software="0", country="X", data=data_fingerprint(register.workspace.catalogue()), since=D,
        until=D, every=7,
        lists="then", continued_from=None, persons_known=False, new=side, in_force=side,
        difference=Difference(newly_cut=Count(), no_longer_cut=Count(), newly_notified=Count(),
                              no_longer_notified=Count(), conditions=(), examples=()),
        calibration=(), calibration_sha256=calibration[1] if isinstance(calibration, tuple) else None,
        expected=Expected(calibrated=1000 if wrong is not None else 0, uncalibrated=0, wrong=wrong,
                          low=wrong, high=wrong),
        budget=2.0, notes=(),
    )  # fmt: skip


Put = Callable[..., Activation]


def test_a_policy_without_a_new_condition_that_was_looked_at_is_put_in_force(
    register: Register, put: Put
) -> None:
    text = OLD.replace("grace_days = 0", "grace_days = 5")
    made = put(text)
    assert (register.root / "policy.toml").read_text() == text
    assert register.workspace.catalogue().activations[-1] == made
    assert (made.budget, made.lines, made.accepted) == (2.0, 1000, {})
    register.classify(D)


def test_what_nobody_looked_at_is_refused(put: Put, register: Register) -> None:
    with pytest.raises(ActivationRefusedError, match="nobody looked"):
        put(OLD.replace("version = 1", "version = 2"), looked=False)
    assert (register.root / "policy.toml").read_text().strip() == OLD.strip()


def test_a_what_if_of_other_files_is_none(register: Register, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(OLD, encoding="utf-8")
    found = seen(register, file, None, None)
    register.take("stolen", ["35100001000001,,"], D)
    with pytest.raises(ActivationRefusedError, match="files came or went"):
        activate(register.workspace, ActivationRequest(file, AT, found))


def test_a_new_blocking_condition_is_calibrated_or_borne_by_name(put: Put, tmp_path: Path) -> None:
    with pytest.raises(ActivationRefusedError, match="shared is not calibrated"):
        put(NEW)
    with pytest.raises(UsageError):
        put(NEW, accepted={"shared": "we know it"})
    made = put(NEW, accepted={"shared": "we know it"}, by="A. Officer")
    assert (made.by, made.accepted) == ("A. Officer", {"shared": "we know it"})
    # what was borne once is borne as long as it means the same
    stricter = NEW.replace("threshold = 3", "threshold = 2")
    put(OLD)
    put(NEW.replace("grace_days = 10", "grace_days = 11"))
    with pytest.raises(ActivationRefusedError, match="shared is not calibrated"):
        put(stricter)
    put(stricter, calibration=calibrated("shared", stricter, tmp_path))


def test_a_policy_above_its_budget_is_refused_until_somebody_bears_it(put: Put) -> None:
    put(OLD, wrong=2.0)
    with pytest.raises(ActivationRefusedError, match=r"2\.10 of 1,000 lines"):
        put(OLD, wrong=2.1)
    made = put(OLD, wrong=2.1, accepted={"budget": "for a month"}, by="A. Officer")
    assert made.wrong_high == 2.1


@pytest.mark.parametrize("looser", [BUDGET.format(3), ""])
def test_a_budget_is_not_loosened_in_passing(put: Put, looser: str) -> None:
    text = OLD.replace(BUDGET.format(2), looser)
    with pytest.raises(ActivationRefusedError, match="its error budget of 2"):
        put(text)
    put(text, accepted={"budget": "the ministry decided"}, by="A. Officer")


def test_a_policy_that_was_edited_by_hand_is_not_obeyed(register: Register, put: Put) -> None:
    for text in (NEW, HEAD + STOLEN):
        register.set_policy(text)
        with pytest.raises(PolicyNotActivatedError):
            register.classify(D)
    put(OLD)
    register.classify(D)


def test_what_was_accepted_stands_in_the_manifest_of_the_lists_that_follow(
    put: Put, register: Register
) -> None:
    put(NEW, accepted={"shared": "we know it"}, by="A. Officer")
    run = register.run(D)
    manifest = json.loads((register.workspace.path(run.publications[0].path) / "manifest.json").read_text())
    assert manifest["activation"]["accepted"] == {"shared": "we know it"}
    assert manifest["activation"]["by"] == "A. Officer"


def test_without_a_budget_nothing_is_asked_and_the_file_may_be_edited(tmp_path: Path) -> None:
    register = Register.make(tmp_path / "register", HEAD + STOLEN)
    register.take("stolen", ["35100001000001,,"], D)
    register.classify(D)
    file = tmp_path / "new.toml"
    file.write_text(HEAD + STOLEN + SHARED, encoding="utf-8")
    assert not needs_looking(register.workspace, file)
    activate(register.workspace, ActivationRequest(file, AT))
    register.set_policy(HEAD + SHARED)
    register.classify(D)


def test_in_an_empty_workspace_nothing_is_asked(tmp_path: Path) -> None:
    register = Register.make(tmp_path / "register", OLD)
    file = tmp_path / "new.toml"
    file.write_text(NEW, encoding="utf-8")
    assert not needs_looking(register.workspace, file)
    assert activate(register.workspace, ActivationRequest(file, AT)).version == 1


def test_what_is_nothing_to_accept_is_refused(put: Put) -> None:
    with pytest.raises(UsageError):
        put(OLD, accepted={"nothing": "why not"}, by="A. Officer")


def test_a_budget_is_zero_to_a_thousand(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(OLD, encoding="utf-8")
    assert load_policy(file)[0].budget.wrongly_cut_lines_per_1000 == Decimal(2)
