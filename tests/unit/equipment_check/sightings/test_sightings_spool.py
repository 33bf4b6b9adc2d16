import asyncio
import logging
import os
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spooling import BLOCKED, MOMENT, PAIRED, PERMITTED, TRACKED, UNKNOWN, Clock, ask, kept, spool, until

from ceir.equipment_check import Question
from ceir.equipment_check.sightings import (
    Keeping,
    SightingsError,
    SpoolLimits,
    closed_segments,
    told_in_turn,
)

SMALL = SpoolLimits(segment_bytes=4096, total_bytes=40_960, write_seconds=0.01, retry_seconds=0.05)


def test_blocked_tracked_and_paired_answers_are_kept_and_no_others(tmp_path: Path) -> None:
    one = spool(tmp_path)
    observe = one.observer("s13")
    for imei, answer in enumerate([PERMITTED, BLOCKED, UNKNOWN, TRACKED, PERMITTED, PAIRED]):
        ask(observe, answer, imei)
    one.start()
    assert one.close()
    assert [s.imei for s in kept(tmp_path)] == [1, 3, 5]


@pytest.mark.parametrize("every", [1, 2, 7, 100])
def test_of_the_rest_every_so_manieth_is_kept_and_listed_ones_do_not_shift_it(
    tmp_path: Path, every: int
) -> None:
    one = spool(tmp_path, keeping=Keeping(sample_every=every))
    first, second = one.observer("s13"), one.observer("n17")
    for imei in range(1, 301):
        ask(first, UNKNOWN, imei)
        ask(first, BLOCKED, 1000)
        ask(second, PERMITTED, imei)
    one.start()
    assert one.close()
    sampled = [(s.interface, s.imei) for s in kept(tmp_path) if s.imei != 1000]
    assert sorted(sampled) == sorted((i, n) for i in ("s13", "n17") for n in range(every, 301, every))


def test_what_comes_while_memory_is_full_is_dropped_and_counted_and_the_oldest_is_kept(
    tmp_path: Path,
) -> None:
    told: list[tuple[int, int]] = []
    one = spool(
        tmp_path, SpoolLimits(waiting=10), counted=lambda written, dropped: told.append((written, dropped))
    )
    ask(one.observer("s13"), BLOCKED, *range(14))
    ask(one.observer("n17"), BLOCKED, *range(3))
    assert one.dropped == 7
    one.start()
    assert one.close()
    assert [s.imei for s in kept(tmp_path)] == list(range(10))
    assert (sum(t[0] for t in told), sum(t[1] for t in told)) == (one.written, one.dropped) == (10, 7)


def test_files_are_only_for_the_user_who_serves(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "spool"
    before = os.umask(0)
    try:
        one = spool(folder)
        ask(one.observer("s13"), BLOCKED, 1)
        one.start()
        assert one.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_segment_is_closed_when_it_is_old_and_nothing_more_is_written_to_it(tmp_path: Path) -> None:
    clock = Clock(0.0)
    one = spool(tmp_path, SpoolLimits(write_seconds=0.01), monotonic=clock)
    observe = one.observer("s13")
    one.start()
    ask(observe, BLOCKED, 1)
    until(lambda: one.written == 1)
    time.sleep(0.05)
    assert closed_segments(tmp_path) == []
    clock.at = 60.0
    until(lambda: len(closed_segments(tmp_path)) == 1)
    (first,) = closed_segments(tmp_path)
    before = first.read_bytes()
    ask(observe, BLOCKED, 2)
    until(lambda: one.written == 2)
    assert one.close()
    assert first.read_bytes() == before
    assert [s.imei for s in kept(tmp_path)] == [1, 2]


def test_when_nobody_ships_files_are_closed_by_size_alone(tmp_path: Path) -> None:
    clock = Clock(0.0)
    one = spool(tmp_path, SpoolLimits(write_seconds=0.01, unshipped=2, segment_bytes=4096), monotonic=clock)
    observe = one.observer("s13")
    one.start()
    for number in range(1, 4):
        ask(observe, BLOCKED, number)
        until(lambda: one.written == number)  # noqa: B023 - waited for at once
        clock.at += 61.0
        until(lambda: len(closed_segments(tmp_path)) == min(number, 2))  # noqa: B023
    time.sleep(0.05)
    assert len(closed_segments(tmp_path)) == 2
    ask(observe, BLOCKED, *range(4, 200))
    until(lambda: one.written == 199)
    assert len(closed_segments(tmp_path)) > 2
    closed_segments(tmp_path)[0].unlink()
    assert one.close()


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    segment=st.integers(4096, 9000),
    segments=st.integers(2, 6),
    workers=st.integers(1, 3),
    sightings=st.integers(1, 1500),
)
def test_all_files_together_are_never_larger_than_told_and_everything_is_kept_or_counted(
    tmp_path_factory: pytest.TempPathFactory, segment: int, segments: int, workers: int, sightings: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    limits = SpoolLimits(segment_bytes=segment, total_bytes=segment * segments, write_seconds=0.001)
    spools = [spool(folder, limits, worker=number, clock=Clock()) for number in range(workers)]
    for one in spools:
        ask(one.observer("s13"), BLOCKED, *range(sightings))
        one.start()
    for one in spools:
        assert one.close(30)
        assert one.written + one.dropped == sightings
    sizes = [file.stat().st_size for file in folder.iterdir()]
    assert sum(sizes) <= limits.total_bytes
    assert max(sizes) <= segment
    assert len(kept(folder)) == sum(one.written for one in spools)
    assert not list(folder.glob("*.open"))
    if sightings * 80 < segment and workers <= segments:
        assert sum(one.dropped for one in spools) == 0


def test_a_full_folder_keeps_what_it_has_and_takes_more_once_something_was_shipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = SpoolLimits(
        waiting=100, segment_bytes=4096, total_bytes=8192, write_seconds=0.01, retry_seconds=0.05
    )
    one = spool(tmp_path, limits)
    observe = one.observer("s13")
    one.start()
    with caplog.at_level(logging.INFO, logger="ceir"):
        for imei in range(400):
            ask(observe, BLOCKED, imei)
            time.sleep(0.0005)
        until(lambda: one.dropped > 0)
        before = [file.read_bytes() for file in closed_segments(tmp_path)]
        time.sleep(0.2)
        assert [file.read_bytes() for file in closed_segments(tmp_path)] == before
        shipped = kept(tmp_path)
        for file in closed_segments(tmp_path):
            file.unlink()
        until(lambda: one.written > len(shipped) + 50)
        assert one.close()
    assert [s.imei for s in shipped + kept(tmp_path)] == list(range(one.written))
    assert one.written + one.dropped == 400
    said = [(record.getMessage(), getattr(record, "reason", None)) for record in caplog.records]
    assert said[0] == ("sightings_not_kept", "The folder of sightings is full.")
    assert ("sightings_kept_again", None) in said
    assert len(said) <= 4


def test_two_processes_cannot_write_as_the_same_worker_and_the_second_takes_over(tmp_path: Path) -> None:
    first, second = spool(tmp_path, SMALL), spool(tmp_path, SMALL)
    ask(first.observer("s13"), BLOCKED, 1)
    first.start()
    until(lambda: first.written == 1)
    ask(second.observer("s13"), BLOCKED, 2)
    second.start()
    time.sleep(0.2)
    assert (second.written, len(list(tmp_path.glob("*.open")))) == (0, 1)
    assert first.close()
    until(lambda: second.written == 1)
    assert second.close()
    assert [s.imei for s in kept(tmp_path)] == [1, 2]


def test_a_folder_that_cannot_be_made_costs_sightings_and_no_answer(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file is in the way")
    one = spool(tmp_path / "spool", SMALL)
    observe = one.observer("s13")
    one.start()
    ask(observe, BLOCKED, 1)
    time.sleep(0.1)
    assert one.written == 0
    (tmp_path / "spool").unlink()
    until(lambda: one.written == 1)
    assert one.close()


def test_a_folder_that_was_removed_under_it_is_made_anew(tmp_path: Path) -> None:
    one = spool(tmp_path / "spool", SMALL)
    observe = one.observer("s13")
    one.start()
    ask(observe, BLOCKED, 1)
    until(lambda: one.written == 1)
    shutil.rmtree(tmp_path / "spool")
    until((tmp_path / "spool").is_dir)
    ask(observe, BLOCKED, 2)
    until(lambda: one.written == 2)
    assert one.close()
    assert [s.imei for s in kept(tmp_path / "spool")] == [2]


def test_names_are_in_order_of_writing_even_when_the_clock_is_set_back(tmp_path: Path) -> None:
    clock = Clock()
    one = spool(tmp_path, SpoolLimits(write_seconds=0.01, segment_bytes=4096), clock=clock)
    observe = one.observer("s13")
    one.start()
    for imei in range(300):
        clock.at -= 1
        ask(observe, BLOCKED, imei)
        if imei % 50 == 49:
            until(lambda: one.written == imei + 1)  # noqa: B023 - waited for at once
    assert one.close()
    assert len(closed_segments(tmp_path)) > 3
    assert [s.imei for s in kept(tmp_path)] == list(range(300))


def test_a_sighting_that_cannot_be_told_costs_itself_alone(tmp_path: Path) -> None:
    one = spool(tmp_path)
    observe = one.observer("s13")
    ask(observe, BLOCKED, 1)
    for wrong in ("x", -1, 10**14):
        observe(BLOCKED, 0.1, Question(wrong))  # type: ignore[arg-type]
    observe(BLOCKED, 0.1, Question(1, 100))
    observe(BLOCKED, 0.1, Question(1, 1, 2 * 10**15))
    ask(observe, BLOCKED, 2)
    one.start()
    assert one.close()
    assert [s.imei for s in kept(tmp_path)] == [1, 2]
    assert (one.written, one.dropped) == (2, 5)


# --- folding


def test_repeats_are_written_once_more_with_their_count(tmp_path: Path) -> None:
    clock = Clock()
    one = spool(tmp_path, SpoolLimits(write_seconds=0.01), Keeping(fold_seconds=60), clock=clock)
    observe = one.observer("s13")
    for second in range(5):
        clock.at = MOMENT + second
        ask(observe, BLOCKED, 1)
    ask(observe, BLOCKED, 2)
    one.start()
    until(lambda: one.written == 2)
    clock.at = MOMENT + 61
    until(lambda: one.written == 6)
    ask(observe, BLOCKED, 1)
    until(lambda: one.written == 7)
    assert one.close()
    found = [(s.imei, s.count, s.moment.timestamp() - MOMENT) for s in kept(tmp_path)]
    assert found == [(1, 1, 0), (2, 1, 4), (1, 4, 4), (1, 1, 61)]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([BLOCKED, TRACKED]), st.integers(-20, 90)), max_size=60
    ),
    entries=st.integers(1, 6),
)
def test_folding_loses_no_answer_and_mixes_none(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, object, int]], entries: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    clock = Clock()
    one = spool(folder, keeping=Keeping(fold_seconds=60, fold_entries=entries), clock=clock)
    observe = one.observer("s13")
    counts: dict[tuple[object, ...], int] = {}
    for imei, answer, seconds in told:
        clock.at += seconds
        ask(observe, answer, imei)  # type: ignore[arg-type]
        key = (imei, answer.status, answer.reason)  # type: ignore[attr-defined]
        counts[key] = counts.get(key, 0) + 1
    one.start()
    assert one.close()
    found: dict[tuple[object, ...], int] = {}
    for s in kept(folder):
        found[s.imei, s.status, s.reason] = found.get((s.imei, s.status, s.reason), 0) + s.count
    assert found == counts
    assert (one.written, one.dropped) == (len(told), 0)


# --- never in an answer's way


def test_a_writer_that_hangs_delays_no_answer_and_no_event_loop(tmp_path: Path) -> None:
    hangs, free = threading.Event(), threading.Event()

    def monotonic() -> float:
        # Asked by the writing thread alone: as good as a disk that does not answer.
        hangs.set()
        free.wait(30)
        return time.monotonic()

    async def serve() -> float:
        limits = SpoolLimits(waiting=1000, write_seconds=0.001)
        loop = asyncio.get_running_loop()
        longest = 0.0
        async with spool(tmp_path, limits, monotonic=monotonic) as one:
            observe = one.observer("s13")
            await asyncio.to_thread(hangs.wait, 10)
            for imei in range(5000):
                began = loop.time()
                ask(observe, BLOCKED, imei)
                await asyncio.sleep(0)
                longest = max(longest, loop.time() - began)
            assert not free.is_set()
            assert (one.written, one.dropped) == (0, 4000)
            free.set()
        assert (one.written, one.dropped) == (1000, 4000)
        return longest

    # Far below the 30 seconds of the writer, far above what a busy machine adds.
    assert asyncio.run(serve()) < 10
    assert [s.imei for s in kept(tmp_path)] == list(range(1000))


def test_closing_does_not_wait_longer_than_told_for_a_writer_that_hangs(tmp_path: Path) -> None:
    free = threading.Event()
    one = spool(tmp_path, SpoolLimits(write_seconds=0.001), monotonic=lambda: float(free.wait(30)))
    ask(one.observer("s13"), BLOCKED, 1)
    one.start()
    assert one.close(0.2) is False
    free.set()
    until(lambda: one.written == 1)


def test_no_file_is_touched_by_the_thread_that_answers(tmp_path: Path) -> None:
    """The folder does not even exist until the writing thread is there."""
    one = spool(tmp_path / "spool")
    ask(one.observer("s13"), BLOCKED, *range(30_000))
    assert not (tmp_path / "spool").exists()
    assert one.dropped == 10_000


def test_two_observers_are_told_the_same_in_turn() -> None:
    told: list[tuple[object, ...]] = []
    both = told_in_turn(lambda *words: told.append((1, *words)), lambda *words: told.append((2, *words)))
    both(BLOCKED, 0.5, Question(7))
    assert told == [(1, BLOCKED, 0.5, Question(7)), (2, BLOCKED, 0.5, Question(7))]


def test_values_that_cannot_work_are_refused_at_once(tmp_path: Path) -> None:
    for wrong in ({"waiting": 0}, {"segment_bytes": 100}, {"total_bytes": 5000}, {"retry_seconds": -1}):
        with pytest.raises(SightingsError):
            SpoolLimits(**wrong)  # type: ignore[arg-type]
    for wrong in ({"sample_every": -1}, {"fold_seconds": -1}, {"fold_entries": 0}):
        with pytest.raises(SightingsError):
            Keeping(**wrong)  # type: ignore[arg-type]
    for name in ("", "S13", "a,b", "a\nb", "x" * 17):
        with pytest.raises(SightingsError):
            spool(tmp_path).observer(name)
