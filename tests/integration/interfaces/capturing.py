"""Captures of what goes over the loopback interface, and tshark's reading of them."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

_START, _QUIET, _END = 30.0, 1.0, 30.0


@contextlib.contextmanager
def recording(path: Path, wanted: str) -> Iterator[None]:
    """Writes every packet on the loopback interface that the filter `wanted` lets through.

    Skips the test where capturing is not permitted.
    """
    dumpcap = shutil.which("dumpcap")
    if dumpcap is None:
        pytest.skip("dumpcap is not installed")
    log = path.with_suffix(".log")
    with log.open("w") as told:
        command = [dumpcap, "-q", "-i", "lo", "-B", "32", "-f", wanted, "-w", str(path)]
        process = subprocess.Popen(command, stdout=told, stderr=told)
    try:
        until = time.monotonic() + _START
        # dumpcap names the file once it has begun to capture into it.
        while "File:" not in log.read_text():
            if process.poll() is not None:
                pytest.skip(f"the platform does not permit capturing: {log.read_text()}")
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield
        _wait_until_written(path)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_written(path: Path) -> None:
    """Packets reach the file some time after they were seen: waits until it no longer grows."""
    size, since, until = -1, 0.0, time.monotonic() + _END
    while (now := time.monotonic()) < until:
        if (length := path.stat().st_size) != size:
            size, since = length, now
        elif now - since > _QUIET:
            return
        time.sleep(0.05)


def fields(path: Path, names: Sequence[str], *options: str) -> list[list[str]]:
    """What tshark shows of each packet; what a packet has several times is joined by commas."""
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    command = [tshark, "-r", str(path), *options, "-T", "fields", "-E", "separator=/t"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]
