"""`ceir serve` as operators run it: real processes, real sockets, files that arrive while it answers."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asking
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from plants import KEY, Plant, plant, today, write_snapshot

from ceir.equipment_check import EquipmentStatus, Question
from ceir.equipment_check.keys import key_id
from ceir.equipment_check.sightings import closed_segments, read_sightings
from ceir.equipment_check.snapshot.building import SnapshotContent, build_snapshot
from ceir.equipment_check.snapshot.comparing import delta_between
from ceir.equipment_check.snapshot.delta import write_delta
from ceir.equipment_check.snapshot.reading import open_snapshot
from vectors import BLOCKED_IMEI, PERMITTED_IMEI, TRACKED_IMEI, VECTORS, content

QUESTIONS = [question for question, _ in VECTORS]
STATUSES = [answer.status for _, answer in VECTORS]
WITHOUT_IMSI = [(q, a.status) for q, a in VECTORS if q.imsi is None]
P, B, U = EquipmentStatus.PERMITTED, EquipmentStatus.BLOCKED, EquipmentStatus.UNKNOWN


def listed(*blocked: int) -> SnapshotContent:
    """A snapshot's content with these IMEIs blocked and nothing else."""
    return SnapshotContent(identities={"blocked": [np.array(sorted(blocked), dtype=np.uint64)]})


def write_delta_file(folder: Path, before: int, now: int) -> Path:
    """The delta between two snapshots that lie in a folder."""
    keys = {key_id(KEY.public_key()): KEY.public_key()}
    old, new = (open_snapshot(folder / f"{n}.made", keys, today()) for n in (before, now))
    delta = delta_between(old, new)
    assert delta is not None
    write_delta(delta, KEY, folder / f"{before}-{now}.new")
    return folder / f"{before}-{now}.new"


def until(answer: EquipmentStatus, running: Plant, question: Question) -> None:
    """Wait until every worker answers so."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if all(asking.n17(running.ports["n17"], [question]) == [answer] for _ in range(6)):
            return
        time.sleep(0.05)
    raise AssertionError(f"{question} is not answered {answer}: {running.told.read_text()}")


def test_all_interfaces_give_the_same_answers_from_one_snapshot(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1)
    with plant(tmp_path, workers=2) as running:
        ports = running.ports
        assert asking.n17(ports["n17"], QUESTIONS) == STATUSES
        assert asking.s13(ports["s13"], QUESTIONS) == STATUSES
        for version in (1, 2):
            assert asking.map_(ports["map"], QUESTIONS, version) == STATUSES
        questions, statuses = zip(*WITHOUT_IMSI, strict=True)
        assert asking.map_(ports["map"], questions, 3) == list(statuses)
        assert asking.gsup_yes(ports["gsup"], QUESTIONS) == [status is not B for status in STATUSES]
        told = running.metrics()
        blocked = 'ceir_equipment_check_answers_total{interface="s13",reason="identity",status="blocked"}'
        assert told[blocked] == sum(a.status is B and a.reason.value == "identity" for _, a in VECTORS)
        assert told['ceir_equipment_check_seconds_count{interface="n17"}'] == len(VECTORS)
        assert told['ceir_snapshot_sequence{worker="1"}'] == 1
        assert running.stop() == 0


def test_requests_that_get_no_status_are_counted_by_the_code_of_their_protocol(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1, listed(BLOCKED_IMEI))
    codes = {"n17": 400, "s13": 3001, "map": 1000, "gsup": 96}
    with plant(tmp_path) as running:
        for interface in codes:
            asking.spoiled(interface, running.ports[interface])
        told = running.metrics()
        for interface, code in codes.items():
            name = f'ceir_equipment_check_refusals_total{{code="{code}",interface="{interface}"}}'
            assert told.get(name) == 1, sorted(told)
        assert 'ceir_equipment_check_answers_total{interface="n17"' not in str(sorted(told))


def test_no_process_of_it_loads_a_database(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1)
    with plant(tmp_path, "n17") as running:
        workers = running.workers()
        assert len(workers) == 1
        for process in (running.process.pid, *workers):
            mapped = Path(f"/proc/{process}/maps").read_text()
            assert "python" in mapped
            for absent in ("duckdb", "arrow", "numpy", "pandas", "sqlite"):
                assert absent not in mapped, (process, absent)


def test_a_snapshot_and_deltas_that_arrive_are_put_in_force_while_a_connection_stays(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    first, second, third = listed(BLOCKED_IMEI), listed(TRACKED_IMEI), listed(TRACKED_IMEI, PERMITTED_IMEI)
    write_snapshot(folder / "1.snapshot", 1, first)
    for sequence, of in ((2, second), (3, third)):
        write_snapshot(folder / f"{sequence}.made", sequence, of)

    async def go(running: Plant) -> None:
        peers = [await asking.Diameter.connected(running.ports["s13"]) for _ in range(8)]

        async def answers(imei: int) -> set[EquipmentStatus]:
            return {await peer.ask(Question(imei)) for peer in peers}

        assert await answers(BLOCKED_IMEI) == {B}
        (folder / "2.made").rename(folder / "2.snapshot")
        await asyncio.to_thread(running.wait_for, "snapshot_in_force", 2, sequence=2)
        assert (await answers(BLOCKED_IMEI), await answers(TRACKED_IMEI)) == ({U}, {B})
        (folder / "2.snapshot").rename(folder / "2.made")
        # the delta of a later step comes first: it waits for the one before
        write_delta_file(folder, 2, 3).rename(folder / "2-3.delta")
        await asyncio.to_thread(running.wait_for, "snapshot_in_force", 2, sequence=3)
        assert (await answers(PERMITTED_IMEI), await answers(TRACKED_IMEI)) == ({B}, {B})
        for peer in peers:
            peer.close()

    with plant(tmp_path, "n17 s13", workers=2) as running:
        asyncio.run(go(running))
        assert running.metrics()['ceir_snapshot_sequence{worker="0"}'] == 3


def test_a_refused_file_is_told_and_counted_and_the_last_good_one_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    write_snapshot(folder / "1.snapshot", 1, listed(BLOCKED_IMEI))
    stranger = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    with plant(tmp_path, "n17", workers=2) as running:
        good = write_snapshot(folder / "2.made", 2, listed()).read_bytes()
        header = open_snapshot(
            folder / "2.made", {key_id(KEY.public_key()): KEY.public_key()}, today()
        ).header
        (folder / "cut.snapshot").write_bytes(good[:-9])
        (folder / "bent.snapshot").write_bytes(good[:-1] + bytes((good[-1] ^ 1,)))
        (folder / "text.snapshot").write_text("a page of an intranet portal")
        (folder / "text.delta").write_text("likewise")
        build_snapshot(listed(), header, stranger, folder / "stranger.snapshot")
        write_snapshot(folder / "old.snapshot", 2, listed(), days=-1)
        write_snapshot(folder / "other.snapshot", 2, listed(), operator="operator2")
        refused = {
            "cut.snapshot": "cut off",
            "bent.snapshot": "damaged",
            "text.snapshot": "not a snapshot",
            "text.delta": "not a delta",
            "stranger.snapshot": "signature",
            "old.snapshot": "expired",
            "other.snapshot": "operator2",
        }
        for file in refused:
            running.wait_for("snapshot_refused", 2, file=file)
        for event in running.log():
            if event["event"] == "snapshot_refused":
                assert refused[event["file"]] in event["reason"], event
        assert asking.n17(running.ports["n17"], [Question(BLOCKED_IMEI)]) == [B]
        assert running.ready() == (200, "ready")
        assert running.metrics()["ceir_snapshot_files_refused_total"] == 2 * len(refused)
        # the same file, whole this time
        (folder / "cut.snapshot").write_bytes(good)
        until(U, running, Question(BLOCKED_IMEI))


def test_a_killed_worker_is_replaced_and_connections_to_others_go_on(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1)

    async def go(running: Plant) -> None:
        peers = [await asking.Diameter.connected(running.ports["s13"]) for _ in range(24)]
        before = running.workers()
        os.kill(before[0], signal.SIGKILL)
        alive = 0
        for peer in peers:
            try:
                alive += await peer.ask(Question(BLOCKED_IMEI)) is B
            except (asyncio.IncompleteReadError, OSError):
                peer.close()
        assert 0 < alive < len(peers)
        await asyncio.to_thread(running.wait_for, "worker_ended")
        deadline = time.monotonic() + 20
        while len(running.workers()) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        assert before[1] in running.workers()
        assert len(running.workers()) == 2
        again = await asking.Diameter.connected(running.ports["s13"])
        assert await again.ask(Question(BLOCKED_IMEI)) is B
        again.close()
        for peer in peers:
            peer.close()

    with plant(tmp_path, "s13", workers=2) as running:
        asyncio.run(go(running))


def test_blocked_and_tracked_answers_leave_sightings_behind(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1)
    spool = tmp_path / "spool"
    spool.mkdir(mode=0o700)
    table = f'\n[sightings]\nfolder = "{spool}"\n'
    with plant(tmp_path, "n17 s13", toml=table) as running:
        asking.n17(running.ports["n17"], QUESTIONS)
        asking.s13(running.ports["s13"], QUESTIONS)
        assert running.stop() == 0
    kept = [s for segment in closed_segments(spool) for s in read_sightings(segment)]
    wanted = [a for _, a in VECTORS if a.status.value in ("blocked", "tracked") or a.reason.value == "paired"]
    assert len(kept) == 2 * len(wanted)
    assert {s.interface for s in kept} == {"n17", "s13"}


@pytest.mark.parametrize(("when_stale", "answer"), [("serve", B), ("permitted", P), ("unknown", U)])
def test_lists_that_become_too_old_are_answered_from_as_configured_and_told(
    when_stale: str, answer: EquipmentStatus, tmp_path: Path
) -> None:
    folder = tmp_path / "snapshots"
    write_snapshot(folder / "1.snapshot", 1, listed(BLOCKED_IMEI), days=6 / 86400)
    with plant(tmp_path, "n17", toml=f'when_stale = "{when_stale}"') as running:
        running.wait_for("snapshot_expired")
        until(answer, running, Question(BLOCKED_IMEI))
        assert running.metrics()['ceir_snapshot_left_seconds{worker="0"}'] < 0
        assert running.ready() == (200, "ready")
        write_snapshot(folder / "2.snapshot", 2, listed(BLOCKED_IMEI, TRACKED_IMEI))
        running.wait_for("snapshot_in_time_again")
        until(B, running, Question(TRACKED_IMEI))


def test_a_restart_with_nothing_but_expired_lists_answers_as_before_the_restart(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "snapshots" / "1.snapshot", 1, listed(BLOCKED_IMEI), days=-2)
    with plant(tmp_path, "n17") as running:
        running.wait_for("snapshot_expired")
        assert asking.n17(running.ports["n17"], [Question(BLOCKED_IMEI)]) == [B]


def test_an_override_answers_everything_until_the_next_snapshot(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    write_snapshot(folder / "1.snapshot", 1, content(), override="permitted")
    with plant(tmp_path, "n17") as running:
        running.wait_for("override_in_force")
        assert set(asking.n17(running.ports["n17"], QUESTIONS)) == {P}
        write_snapshot(folder / "2.snapshot", 2, content())
        until(B, running, Question(BLOCKED_IMEI))
        assert asking.n17(running.ports["n17"], QUESTIONS) == STATUSES
