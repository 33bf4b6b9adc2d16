"""Whenever a command is killed, the workspace is as before it or as after it."""

import os
from functools import partial
from pathlib import Path

import pytest

from ceir.pipeline.workspace import Workspace

from .commands import FEW, assert_before_or_after, classify_day, publish_run, take_in_file, undo_ingest
from .killing import killed_at_every_step

OBSERVED = (
    "date,imei,imsi,msisdn,rat\n"
    "20261005,35675904000001,111010000000001,220000000001,002\n"
    "20261005,ABC,111010000000002,220000000002,006\n"
    "20260930,35675904000003,111010000000003,220000000003,006\n"
    "?\n"
)
BARRED = "imei\n35675904000001\n35675904000002\nABC\n"


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    Workspace.create(root, FEW)
    return root


def deliver(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_taking_in_observations_can_be_killed_at_any_step(workspace: Path, tmp_path: Path) -> None:
    file = deliver(tmp_path, "operator1_20260930_20261031.csv", OBSERVED)
    texts = {"source": "observations", "file": file}
    left = killed_at_every_step(take_in_file, workspace, tmp_path / "killed", **texts)
    assert_before_or_after(left, workspace, partial(take_in_file, **texts), fewest_steps=18)


def test_taking_in_a_delta_can_be_killed_at_any_step(workspace: Path, tmp_path: Path) -> None:
    take_in_file(workspace, "barred", deliver(tmp_path, "barred.csv", BARRED))
    first = deliver(tmp_path, "first.csv", "imei,change_type\n35675904000008,add\n")
    take_in_file(workspace, "barred", first, delta="yes")
    file = deliver(
        tmp_path, "changes.csv", "imei,change_type\n35675904000009,add\n35675904000001,remove\n?,\n"
    )
    texts = {"source": "barred", "file": file, "delta": "yes"}
    left = killed_at_every_step(take_in_file, workspace, tmp_path / "killed", **texts)
    assert_before_or_after(left, workspace, partial(take_in_file, **texts), fewest_steps=15)


def test_undoing_a_list_can_be_killed_at_any_step(workspace: Path, tmp_path: Path) -> None:
    take_in_file(workspace, "barred", deliver(tmp_path, "barred.csv", BARRED))
    take_in_file(workspace, "barred", deliver(tmp_path, "other.csv", "imei\n35675904000002\n?\n"))
    left = killed_at_every_step(undo_ingest, workspace, tmp_path / "killed", ingest="2")
    assert_before_or_after(left, workspace, partial(undo_ingest, ingest="2"), fewest_steps=8)


def test_undoing_observations_that_a_run_has_seen_can_be_killed_at_any_step(
    workspace: Path, tmp_path: Path
) -> None:
    take_in_file(workspace, "observations", deliver(tmp_path, "operator1_20260930_20261031.csv", OBSERVED))
    classify_day(workspace, "2026-10-31")
    left = killed_at_every_step(undo_ingest, workspace, tmp_path / "killed", ingest="1")
    assert_before_or_after(left, workspace, partial(undo_ingest, ingest="1"), fewest_steps=10)


def test_classifying_can_be_killed_at_any_step(workspace: Path, tmp_path: Path) -> None:
    take_in_file(workspace, "barred", deliver(tmp_path, "barred.csv", BARRED))
    take_in_file(workspace, "observations", deliver(tmp_path, "operator1_20260930_20261031.csv", OBSERVED))
    classify_day(workspace, "2026-10-31")
    left = killed_at_every_step(classify_day, workspace, tmp_path / "killed", day="2026-11-01")
    assert_before_or_after(left, workspace, partial(classify_day, day="2026-11-01"), fewest_steps=15)


def publish_one_of_two(workspace: Path, tmp_path: Path) -> None:
    """A workspace with two runs that decide otherwise, of which the first is published."""
    take_in_file(workspace, "observations", deliver(tmp_path, "operator1_20260930_20261031.csv", OBSERVED))
    take_in_file(workspace, "barred", deliver(tmp_path, "barred.csv", BARRED))
    pairings = deliver(tmp_path, "pairings.csv", "imei,imsi\n35675904000003,111010000000003\n")
    take_in_file(workspace, "pairings", pairings)
    classify_day(workspace, "2026-10-31")
    publish_run(workspace)
    take_in_file(workspace, "barred", deliver(tmp_path, "fewer.csv", "imei\n35675904000002\nABC\n"))
    classify_day(workspace, "2026-12-15")


def test_publishing_can_be_killed_at_any_step_and_the_next_publication_is_the_same_bytes(
    workspace: Path, tmp_path: Path
) -> None:
    publish_one_of_two(workspace, tmp_path)
    left = list(killed_at_every_step(publish_run, workspace, tmp_path / "killed"))
    assert_before_or_after(left, workspace, publish_run, fewest_steps=40)
    lists = Workspace.open(left[-1].root).catalogue().runs[-1].publications[0].rows
    told = {name for name, rows in lists.items() if rows}  # else the same bytes could be those of nothing
    assert told >= {"blocked.csv", "delta/blocked.csv", "delta/tracked.csv", "operator1/exceptions.csv"}


@pytest.mark.long
def test_publishing_a_published_run_against_an_older_base_can_be_killed_at_any_step(
    workspace: Path, tmp_path: Path
) -> None:
    publish_one_of_two(workspace, tmp_path)
    publish_run(workspace)
    classify_day(workspace, "2026-12-31")
    publish_run(workspace)
    left = killed_at_every_step(publish_run, workspace, tmp_path / "killed", base="1")
    assert_before_or_after(left, workspace, partial(publish_run, base="1"), fewest_steps=25)
