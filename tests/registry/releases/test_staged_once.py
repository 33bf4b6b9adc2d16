"""Blocks come step by step from the pipeline or from the register, never from both."""

from decimal import Decimal
from pathlib import Path

import pytest
from copied_world import (
    DECIDED,
    OPEN,
    blocked,
    enter_operators,
    let_out,
)
from people import NOW, actor
from registry_publications import decided, publish, read_manifest, write_manifest

from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.models import Entry
from ceir.registry.releases.planning import ReleaseError, Stage, Terms, plan
from ceir.registry.runs.applying import apply
from ceir.registry.runs.models import Run

STEPS = Terms(
    stages=(Stage(Decimal("0.1")), Stage(Decimal(1))),
    budgets={"appeals": Decimal(5)},
    daily_cap=1,
    alone_share=Decimal(1),
)


@pytest.fixture(autouse=True)
def _operators() -> None:
    enter_operators()


def stepped(tmp_path: Path, run: int, *rows: tuple[str, ...], base: int | None = None) -> Run:
    """A run whose blocks the pipeline let out step by step."""
    folder = publish(tmp_path / str(run), run, rows, base=base)
    release = {"staged_by": "pipeline", "conditions": [{"condition": "cloned", "out": 1}]}
    write_manifest(folder, {**read_manifest(folder), "release": release})
    return apply(folder, actor=SYSTEM, at=NOW).run


def test_what_the_pipeline_staged_is_not_staged_a_second_time(tmp_path: Path) -> None:
    run = stepped(tmp_path, 1, decided(DECIDED), decided(OPEN))
    assert run.staged == ["cloned"]
    release = let_out(1, terms=STEPS)
    assert blocked("operator1") == {DECIDED, OPEN}, "all at once: the pipeline's steps came before"
    assert (len(release.stages), release.daily_cap, release.budgets) == (1, None, {"appeals": "5"})
    assert Entry.objects.get(action="release.planned").detail.count('"staged_by":"pipeline"') == 1


def test_what_the_register_is_to_stage_it_stages(tmp_path: Path) -> None:
    folder = publish(tmp_path / "1", 1, [decided(DECIDED), decided(OPEN)])
    write_manifest(folder, {**read_manifest(folder), "release": {"staged_by": "register"}})
    apply(folder, actor=SYSTEM, at=NOW)
    let_out(1, terms=STEPS)
    assert len(blocked("operator1")) < 2


def test_one_release_does_not_mix_what_was_staged_with_what_was_not(tmp_path: Path) -> None:
    apply(publish(tmp_path / "1", 1, [decided(DECIDED)]), actor=SYSTEM, at=NOW)
    stepped(tmp_path, 2, decided(DECIDED), decided(OPEN), base=1)
    with pytest.raises(ReleaseError) as caught:
        plan(2, STEPS, salt=b"drawn for a test", reason="x", actor=actor(Role.OFFICER), at=NOW)
    assert "run 1 and before" in caught.value.hint
    first = plan(1, STEPS, salt=b"drawn for a test", reason="x", actor=actor(Role.OFFICER), at=NOW)
    second = plan(2, STEPS, salt=b"drawn for a test", reason="x", actor=actor(Role.OFFICER), at=NOW)
    assert (len(first.stages), len(second.stages)) == (2, 1)
