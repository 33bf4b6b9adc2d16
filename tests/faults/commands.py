"""Commands to be killed, and what must hold of a workspace in which one was."""

import hashlib
import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from ceir.pipeline.classify import Request, classify
from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.ingest import Delivery, take_in, undo
from ceir.pipeline.ingest.checking import all_checks
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace
from ceir.sources import source_named

from .killing import Killed

FEW = Path(__file__).parent / "few.toml"
"""A policy."""

MEANINGLESS = frozenset({"lock", "tmp"})
"""Top-level entries of a workspace that nobody ever reads."""


def limits(root: Path) -> Limits:
    """One thread: its results are the same to the byte."""
    return Limits(root / "tmp", threads=1)


def take_in_file(root: Path, source: str, file: str, delta: str = "") -> None:
    """Take a file in, whatever its checks say."""
    accepted = {check.name: "a test" for check in all_checks(source_named(source))}
    workspace = Workspace.open(root)
    delivery = Delivery(source, Path(file), date(2026, 11, 1), delta=bool(delta), accepted=accepted)
    with workspace.locked(wait_seconds=120):
        take_in(workspace, delivery, limits(root))


def undo_ingest(root: Path, ingest: str) -> None:
    """Take an ingest back."""
    workspace = Workspace.open(root)
    if any(i.id == int(ingest) and i.state == "undone" for i in workspace.catalogue().ingests):
        return
    with workspace.locked(wait_seconds=120):
        undo(workspace, int(ingest), "a test", limits(root))


def classify_day(root: Path, day: str) -> None:
    """Classify for a day; fuses are waived."""
    workspace = Workspace.open(root)
    waived = dict.fromkeys(workspace.policy()[0].conditions, "a test")
    with workspace.locked(wait_seconds=120):
        engine = DuckEngine(limits(root))
        try:
            classify(workspace, Request(date.fromisoformat(day), waived), engine)
        finally:
            engine.close()


def publish_run(root: Path, base: str = "") -> None:
    """Publish the newest run, with deltas against a run that was published."""
    workspace = Workspace.open(root)
    with workspace.locked(wait_seconds=120):
        engine = DuckEngine(limits(root))
        try:
            publish(workspace, PublishRequest(base=int(base) if base else None), engine)
        finally:
            engine.close()


def tree(root: Path) -> dict[str, str]:
    """Every file of a workspace that means something, with the hash of its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).parts[0] not in MEANINGLESS
    }


def assert_before_or_after(
    left: Iterable[Killed],
    template: Path,
    again: Callable[[Path], object],
    *,
    fewest_steps: int,
    unswept: bool = True,
) -> None:
    """Hold every workspace in which a command was killed against the ones before and after it.

    The catalogue can be read and is the one before or the one after. A sweep brings exactly that state back
    and tells what it removed. The command given again leads to the state after.

    Args:
        again: the command.
        fewest_steps: of the command; fewer would mean that nothing was killed.
        unswept: give the command again also where nothing was swept.
    """
    every = list(left)
    done = every.pop()
    assert done.completed
    assert len(every) >= fewest_steps, len(every)
    after = Workspace.open(done.root)
    assert after.sweep() == [], "a command that ends well leaves nothing to sweep"
    states = {(root / "catalogue.json").read_bytes(): tree(root) for root in (template, done.root)}
    assert len(states) == 2
    reached: list[bool] = []
    seen: set[tuple[tuple[str, str], ...]] = set()
    for killed in every:
        workspace = Workspace.open(killed.root)
        workspace.catalogue()
        state = states[(killed.root / "catalogue.json").read_bytes()]
        reached.append(state == tree(done.root))
        found = tuple(sorted(tree(killed.root).items()))
        roots = [killed.root]
        if unswept and _leftovers(killed.root, state):
            roots.append(shutil.copytree(killed.root, killed.root.with_suffix(".unswept")))
        _assert_swept(workspace, state)
        if found in seen:  # waiting for the disk leaves what was there: half of all steps
            continue
        seen.add(found)
        for root in roots:
            again(root)
            Workspace.open(root).sweep()
            assert tree(root) == tree(done.root), f"{killed.call}, step {killed.step}"
    assert reached == sorted(reached), "once reached, the state after stays"
    assert reached[0] is False


def _leftovers(root: Path, state: dict[str, str]) -> set[str]:
    return set(tree(root)) - set(state)


def _assert_swept(workspace: Workspace, state: dict[str, str]) -> None:
    """A sweep restores the state, says what it removed, and finds nothing the second time."""
    leftovers = _leftovers(workspace.root, state)
    removed = workspace.sweep()
    assert {path for path in removed if not path.startswith("tmp/")} == leftovers
    assert tree(workspace.root) == state
    assert workspace.sweep() == []
