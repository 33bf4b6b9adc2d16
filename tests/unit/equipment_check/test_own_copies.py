"""A server that copies what arrives lives on whatever becomes of the file."""

import faulthandler
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ceir.equipment_check import EquipmentStatus
from ceir.equipment_check.own_copies import OwnCopies
from ceir.equipment_check.shelf import SnapshotShelf
from ceir.equipment_check.snapshot import Header
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = {"register": KEY.public_key()}
IMEI = 35_675904_000001


def write(path: Path, sequence: int) -> None:
    header = Header(
        "X",
        sequence,
        "2026-10-31",
        "2026-12-01T00:00:00+00:00",
        "",
        "unknown",
        "unknown",
        None,
        "register",
        {},
    )
    numbers = np.array([IMEI + sequence], dtype=np.uint64)
    build_snapshot(SnapshotContent({"blocked": [numbers]}), header, KEY, path)


def ends_by(work: Callable[[], None]) -> int:
    """The signal that ended a process which did the work; 0: none, it came to its end."""
    child = os.fork()
    if not child:
        faulthandler.disable()
        try:
            work()
        except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def cut_off(file: Path) -> None:
    """What `cp` and `scp` do first to a file that exists."""
    os.truncate(file, 0)


@pytest.mark.parametrize("own", [True, False])
def test_a_file_that_is_cut_off_under_a_server_ends_it_only_without_an_own_copy(
    tmp_path: Path, own: bool
) -> None:
    place = tmp_path / "arriving"
    place.mkdir()
    write(place / "a.snapshot", 1)

    def serve() -> None:
        shelf = SnapshotShelf(place, KEYS, own=OwnCopies(tmp_path / "own") if own else None)
        holder, _ = shelf.holder(NOW)
        cut_off(place / "a.snapshot")
        assert holder.verdict(IMEI + 1, None, None).status is EquipmentStatus.BLOCKED
        assert [arrival.what for arrival in shelf.look(holder, NOW)] == ["refused"]
        write(place / "b.snapshot", 2)
        assert [arrival.what for arrival in shelf.look(holder, NOW)] == ["in_force"]
        cut_off(place / "b.snapshot")
        assert holder.verdict(IMEI + 2, None, None).status is EquipmentStatus.BLOCKED

    assert ends_by(serve) == (0 if own else signal.SIGBUS)


def test_processes_share_one_copy_and_old_ones_are_deleted(tmp_path: Path) -> None:
    place, own = tmp_path / "arriving", tmp_path / "own"
    place.mkdir()
    write(place / "1.snapshot", 1)
    shelves = [SnapshotShelf(place, KEYS, own=OwnCopies(own)) for _ in range(3)]
    holders = [shelf.holder(NOW)[0] for shelf in shelves]
    assert len(list(own.glob("*.own"))) == 1
    for sequence in range(2, 6):
        write(place / f"{sequence}.snapshot", sequence)
        for shelf, holder in zip(shelves, holders, strict=True):
            assert [arrival.sequence for arrival in shelf.look(holder, NOW)] == [sequence]
        assert len(list(own.glob("*.own"))) == 2
    assert {file.suffix for file in own.iterdir()} == {".own", ""}
    for holder in holders:
        assert holder.verdict(IMEI + 5, None, None).status is EquipmentStatus.BLOCKED


def test_a_copy_that_is_half_a_file_is_refused_and_the_whole_file_is_taken_later(tmp_path: Path) -> None:
    place = tmp_path / "arriving"
    place.mkdir()
    write(place / "1.snapshot", 1)
    shelf = SnapshotShelf(place, KEYS, own=OwnCopies(tmp_path / "own"))
    holder, _ = shelf.holder(NOW)
    write(tmp_path / "whole", 2)
    whole = (tmp_path / "whole").read_bytes()
    (place / "2.snapshot").write_bytes(whole[:-100])
    assert [arrival.what for arrival in shelf.look(holder, NOW)] == ["refused"]
    (place / "2.snapshot").write_bytes(whole)
    assert [arrival.what for arrival in shelf.look(holder, NOW)] == ["in_force"]


def test_without_room_for_a_copy_the_file_is_served_where_it_lies_and_that_is_told(tmp_path: Path) -> None:
    place = tmp_path / "arriving"
    place.mkdir()
    write(place / "1.snapshot", 1)
    (tmp_path / "own").write_text("a file is in the way")
    holder, arrivals = SnapshotShelf(place, KEYS, own=OwnCopies(tmp_path / "own")).holder(NOW)
    assert holder.verdict(IMEI + 1, None, None).status is EquipmentStatus.BLOCKED
    assert [arrival.what for arrival in arrivals] == ["in_force"]
    assert "do not write into it" in arrivals[0].reason
