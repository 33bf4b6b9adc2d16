"""What fuzzing found once stays found: every harness replays its corpus, and does a little damage to it."""

import importlib
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).resolve().parents[2] / "fuzz"
TARGETS = ("gsup", "map", "n17", "s13", "snapshot")

Damage = Callable[[random.Random, Sequence[bytes]], bytes]


@pytest.fixture
def harness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A harness as it is when it runs by itself; its modules have names that are common elsewhere."""
    names = {file.stem for file in FUZZ.glob("*.py")}
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    monkeypatch.syspath_prepend(str(FUZZ))
    try:
        yield importlib.import_module(request.param)
    finally:
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def parts(module: ModuleType) -> tuple[Callable[[bytes], None], list[bytes], Damage]:
    """The target, its seeds, and what damages them."""
    name = Path(str(module.__file__)).stem
    corpus = [file.read_bytes() for file in sorted((FUZZ / "corpus" / name).glob("*.bin"))]
    target, seeds, damage = module.harness()
    return target, [*seeds, *corpus], damage


def broken_by(target: Callable[[bytes], None], inputs: list[bytes]) -> set[type[Exception]]:
    broken = set()
    for octets in inputs:
        try:
            target(octets)
        except Exception as error:  # noqa: BLE001 - whatever it is
            broken.add(type(error))
    return broken


def test_every_harness_is_replayed_and_run_by_the_recipe() -> None:
    harnesses = {file.stem for file in FUZZ.glob("*.py")} - {"octets"}
    recipe = (FUZZ.parent / "justfile").read_text(encoding="utf-8")
    assert harnesses == set(TARGETS)
    assert {folder.name for folder in (FUZZ / "corpus").iterdir()} == harnesses
    assert all(name in recipe.split("\nfuzz seconds")[1].split("\n\n")[0] for name in harnesses)


@pytest.mark.parametrize("target", TARGETS)
def test_a_harness_runs_as_the_recipe_runs_it(target: str, tmp_path: Path) -> None:
    words = ["--seconds", "0.5", "--corpus", str(FUZZ / "corpus" / target), "--keep", str(tmp_path)]
    command = [sys.executable, str(FUZZ / f"{target}.py"), *words]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "nothing broke" in ran.stdout


@pytest.mark.parametrize("harness", TARGETS, indirect=True)
def test_a_corpus_and_a_little_damage_break_no_promise(harness: ModuleType) -> None:
    target, inputs, damage = parts(harness)
    assert len(inputs) > 10
    draw = random.Random(3)
    for octets in inputs:
        target(octets)
    for _ in range(300):
        target(damage(draw, inputs))


@pytest.mark.parametrize("harness", ["n17"], indirect=True)
def test_a_door_that_opens_without_a_token_is_noticed(
    harness: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, inputs, _ = parts(harness)
    monkeypatch.setattr(harness.Authorizer, "refusal", lambda _self, _field: None)
    assert harness.BrokenPromiseError in broken_by(target, inputs)


@pytest.mark.parametrize("harness", ["snapshot"], indirect=True)
def test_a_snapshot_that_is_taken_without_looking_into_it_is_noticed(
    harness: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, inputs, _ = parts(harness)
    monkeypatch.setattr("ceir.equipment_check.holder.verify_content", lambda _snapshot: None)
    assert {harness.BrokenPromiseError, IndexError} <= broken_by(target, inputs)


@pytest.mark.parametrize("harness", ["snapshot"], indirect=True)
def test_inputs_leave_no_file_and_no_open_descriptor_behind(harness: ModuleType) -> None:
    target, inputs, _ = parts(harness)
    for octets in inputs[:10]:
        target(octets)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for octets in inputs:
        target(octets)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
