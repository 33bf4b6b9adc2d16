"""Whenever publishing a snapshot is killed, checkers find the one before or the one after, never a part."""

import os
from functools import partial
from pathlib import Path

import pytest

from ceir.distribution.publishing import KEPT
from ceir.pipeline.engines import DuckEngine
from ceir.pipeline.publish import PublishRequest, publish
from ceir.pipeline.workspace import Workspace

from .commands import FEW, assert_before_or_after, classify_day, limits, take_in_file
from .killing import killed_at_every_step
from .snapshots import publish_snapshot_until

OBSERVED = (
    "date,imei,imsi,msisdn,rat\n"
    "20261005,35675904000001,111010000000001,220000000001,002\n"
    "20260930,35675904000003,111010000000003,220000000003,006\n"
)


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


def test_publishing_a_snapshot_can_be_killed_at_any_step(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    workspace = Workspace.create(root, FEW)
    for source, name, text in (
        ("observations", "operator1_20260930_20261031.csv", OBSERVED),
        ("barred-tacs", "barred-tacs.csv", "tac\n35675904\n"),
    ):
        (tmp_path / name).write_text(text)
        take_in_file(root, source, str(tmp_path / name))
    classify_day(root, "2026-10-31")
    engine = DuckEngine(limits(root))
    publish(workspace, PublishRequest(), engine)
    engine.close()
    for n in range(KEPT):
        publish_snapshot_until(root, f"2026-11-{10 + n}")
    # one more than are kept: a file is dropped too
    left = killed_at_every_step(publish_snapshot_until, root, tmp_path / "killed", day="2026-11-20")
    assert_before_or_after(left, root, partial(publish_snapshot_until, day="2026-11-20"), fewest_steps=8)
