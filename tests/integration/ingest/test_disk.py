"""Wherever the disk fills up, the workspace is as it was, and the command succeeds once there is room."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ceir.pipeline.engines import DuckEngine, Limits
from ceir.pipeline.engines.engine import DiskFullError, MemoryExceededError

from .conftest import OBSERVED, Desk, tree

MEBIBYTE = 1 << 20
ROOMS = [0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 40, 48, 64, 96]
"""Pages of 4 KiB that are free."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def leave_room(disk: Path, pages: int) -> Path:
    """Fill the disk up to a few pages."""
    ballast = disk / "ballast"
    free = shutil.disk_usage(disk).free
    ballast.write_bytes(b"x" * (free - pages * 4096))
    assert shutil.disk_usage(disk).free == pages * 4096
    return ballast


def observed(first: int) -> str:
    rows = (
        f"20261005,{35675904000000 + n * 7919 % 10**6},11101{n:010d},22{n:010d},006\n"
        for n in range(first, first + 3000)
    )
    return OBSERVED + "".join(rows) + "20261005,ABC,,,\n?\n"


def test_taking_in_a_file_on_a_full_disk_changes_nothing(small_disk: Path, tmp_path: Path) -> None:
    desk = Desk.at(small_disk)
    desk.inbox = tmp_path
    desk.take("observations", observed(0))
    file = desk.put(observed(5000), "operator1_20261001_20261030.csv")
    before, failed = tree(desk.workspace.root), 0
    for pages in ROOMS:
        ballast = leave_room(small_disk, pages)
        try:
            desk.take("observations", file)
        except DiskFullError:
            failed += 1
            ballast.unlink()
            assert tree(desk.workspace.root) == before
            assert desk.workspace.sweep() == []
        else:
            ballast.unlink()
            break
    assert 5 <= failed < len(ROOMS)
    assert len(desk.rows(desk.workspace.catalogue().ingests[1])) == 3001


def test_undoing_on_a_full_disk_changes_nothing(small_disk: Path, tmp_path: Path) -> None:
    desk = Desk.at(small_disk)
    desk.inbox = tmp_path
    for first in (0, 5000):
        text = "imei\n" + "".join(f"{35675904000000 + n * 7919}\n" for n in range(first, first + 3000))
        taken = desk.take("barred", text)
    before, failed = tree(desk.workspace.root), 0
    for pages in ROOMS:
        ballast = leave_room(small_disk, pages)
        try:
            desk.undo(taken)
        except DiskFullError:
            failed += 1
            ballast.unlink()
            assert tree(desk.workspace.root) == before
        else:
            ballast.unlink()
            break
    assert 1 <= failed < len(ROOMS)
    assert len(desk.entries("barred")) == 3000


def test_a_zip_that_does_not_fit_is_no_fault_of_the_zip(small_disk: Path, tmp_path: Path) -> None:
    desk = Desk.at(small_disk)
    packed = tmp_path / "barred.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("barred.csv", "imei\n" + "35675904000001\n" * (5 * MEBIBYTE // 15))
    with desk.unchanged(), pytest.raises(DiskFullError):
        desk.take("barred", packed)


def test_work_that_finds_no_room_to_spill_says_that_the_disk_is_full(small_disk: Path) -> None:
    engine = DuckEngine(Limits(small_disk / "tmp", threads=1, memory_gb=0.03))
    try:
        with pytest.raises(DiskFullError):
            engine.table("large", "SELECT hash(i) AS a, hash(i + 1) AS b FROM range(3000000) AS t(i)")
    finally:
        engine.close()


def test_work_that_needs_more_memory_than_it_may_use_says_so(tmp_path: Path) -> None:
    engine = DuckEngine(Limits(tmp_path / "tmp", threads=1, memory_gb=0.001))
    try:
        with pytest.raises(MemoryExceededError):
            engine.table("large", "SELECT hash(i) AS a, hash(i + 1) AS b FROM range(3000000) AS t(i)")
    finally:
        engine.close()
