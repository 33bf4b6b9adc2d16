"""Sightings outlive the process that keeps them, and a disk without room costs no more than sightings."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ceir.equipment_check.sightings.line import HEADER

from . import sightings
from .killing import killed_at_every_step
from .sightings import a_spool, keep_two_hundred, kept


def command(function: str, folder: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    words = [sys.executable, "-m", "faults.sightings", function, str(folder), *more]
    return words, {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def recover(folder: Path) -> None:
    spool = a_spool(folder)
    spool.start()
    assert spool.close()


def test_whenever_a_worker_is_killed_the_next_one_finds_whole_lines_in_order(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    steps = 0
    for killed in killed_at_every_step(keep_two_hundred, tmp_path / "empty", tmp_path / "killed"):
        recover(killed.root)
        found = kept(killed.root)
        assert found == list(range(len(found))), killed.call
        assert not list(killed.root.glob("*.open")), killed.call
        assert len(found) == 200 or not killed.completed
        steps += 1
    assert steps >= 8


@pytest.mark.parametrize("seed", range(3))
def test_a_worker_killed_at_any_moment_loses_nothing_that_was_in_a_file(tmp_path: Path, seed: int) -> None:
    words, environment = command("keep_until_killed", tmp_path)
    process = subprocess.Popen(words, env=environment)
    try:
        end = time.monotonic() + 30
        while len(list(tmp_path.glob("*.csv"))) < 3:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(random.Random(seed).random() / 5)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    whole = sum(
        file.read_bytes().count(b"\n") - 1 for file in tmp_path.iterdir() if file.name.startswith("sightings")
    )
    recover(tmp_path)
    found = kept(tmp_path)
    assert found == list(range(whole))
    assert whole > 100


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (b"", None),
        (HEADER[:20], None),
        (HEADER, None),
        (HEADER + b"2026-11-22T13:00:00.000Z,s13,0000", None),
        (HEADER + b"2026-11-22T13:00:00.000Z,s13,00000000000007,,,blocked,identity,1\n2026-", [7]),
        (HEADER + b"2026-11-22T13:00:00.000Z,s13,00000000000007,,,blocked,identity,1\n", [7]),
        (
            HEADER + b"2026-11-22T13:00:00.000Z,s13,00000000000007,,,blocked,identity,1\n" + b"\0" * 200_000,
            [7],
        ),
    ],
)
@pytest.mark.parametrize("worker", ["000", "007"])
def test_what_a_killed_process_left_half_written_is_cut_and_the_rest_is_kept(
    tmp_path: Path, left: bytes, expected: list[int] | None, worker: str
) -> None:
    """Also when the worker with that number is gone for good, because there are fewer now."""
    (tmp_path / f"sightings-20261122T130000000Z-w{worker}.csv.open").write_bytes(left)
    recover(tmp_path)
    assert not list(tmp_path.glob("*.open"))
    assert [file.name for file in tmp_path.glob("*.csv")] == (
        [f"sightings-20261122T130000000Z-w{worker}.csv"] if expected else []
    )
    assert kept(tmp_path) == (expected or [])


def test_a_segment_of_a_worker_that_lives_is_left_alone(tmp_path: Path) -> None:
    words, environment = command("keep_until_killed", tmp_path)
    process = subprocess.Popen(words, env=environment)
    try:
        end = time.monotonic() + 30
        while not list(tmp_path.glob("*.csv")):
            assert time.monotonic() < end
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        before = {file.name: file.read_bytes() for file in tmp_path.glob("sightings-*")}
        other = sightings.Spool(
            tmp_path, 1, sightings.SMALL, sightings.Keeping(), clock=time.time, monotonic=time.monotonic
        )
        other.start()
        assert other.close()
        assert {file.name: file.read_bytes() for file in tmp_path.glob("sightings-*")} == before
    finally:
        process.kill()
        process.wait(20)


def starved(words: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    before, (written, dropped), after, (all_written, all_dropped) = json.loads(done.stdout)
    assert before == list(range(len(before)))
    assert written == len(before) > 20
    # What waited in memory, 500 and a batch at most, is kept once there is room, then what comes new.
    waited = 3000 - written - dropped
    assert 500 <= waited <= 628
    assert after == [*range(written, written + waited), *range(9990, 10_000)]
    assert (all_written, all_dropped) == (written + waited + 10, dropped)


def test_a_disk_without_room_costs_new_sightings_and_is_used_again_when_it_has_some(tmp_path: Path) -> None:
    """A file system of 64 KiB in memory, which needs a name space of its own."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    words, environment = command("keep_with_little_disk", tmp_path)
    mounted = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=64k tmpfs "{tmp_path}"'
    if subprocess.run([*mounted, mount], capture_output=True, timeout=20, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    # Something else fills most of the disk and goes away later.
    fill = f'head -c 40000 /dev/zero > "{tmp_path}/filler"'
    starved([*mounted, f'{mount} && {fill} && exec "$@"', "sh", *words], environment)


@pytest.mark.parametrize("most", [4097, 10_000])
def test_a_limit_on_the_size_of_files_is_survived(tmp_path: Path, most: int) -> None:
    """Each segment ends at the limit, inside a line; the next one goes on with that line."""
    words, environment = command("keep_with_little_disk", tmp_path, str(most))
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    before, _, after, (written, dropped) = json.loads(done.stdout)
    everything = before + after
    assert everything == sorted(set(everything))
    assert len(everything) == written
    assert written + dropped == 3010
