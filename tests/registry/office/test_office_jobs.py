"""What is done again and again: by one at a time, as often as said, and not forgotten when it fails."""

import itertools
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from at_once import at_once
from people import NOW

from ceir.registry import jobs
from ceir.registry.background import scheduling
from ceir.registry.background.models import LastRun
from ceir.registry.background.presence import Presence, is_present, present
from ceir.registry.background.scheduling import (
    JobFailedError,
    JobRunningError,
    Standing,
    run_due,
    run_now,
    standings,
)
from ceir.registry.jobs import Job, UnknownJobError, all_jobs, job_named

MINUTE = timedelta(minutes=1)


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    def use(run: Callable[[datetime], str], every: timedelta = MINUTE) -> Job:
        job = Job("a-job", "Does something.", every, run)
        monkeypatch.setattr(scheduling, "all_jobs", lambda: {job.name: job})
        return job

    return use


def standing(at: datetime) -> Standing:
    return standings(at)[0]


def broken(_at: datetime) -> str:
    raise ValueError("IMSI 111010000000001")


def test_every_capability_with_deadlines_has_its_job_and_all_of_them_run(clock: Hand) -> None:
    assert {
        "appeals-clocks", "audit-verify", "cases-deadlines", "codes-forget", "documents-sweep",
        "pairings-sweep", "personal-shred", "proposals-end", "registrations-end", "releases-carry-on",
        "sessions-forget", "tasks-forget", "transfers-end",
    } <= set(all_jobs())  # fmt: skip
    with present() as me:
        assert run_due(me, clock) == len(all_jobs())
    for one in standings(NOW):
        assert one.last is not None
        assert one.last.outcome == "done", (one.job.name, one.last.told)
        assert one.job.doc.endswith(".")
        assert len(one.job.name) <= 64
        assert not one.late


def test_a_job_runs_again_when_its_time_has_come_and_not_before(
    clock: Hand, only: Callable[..., Job]
) -> None:
    ran: list[datetime] = []
    only(lambda at: ran.append(at) or "something")  # type: ignore[func-returns-value]
    with present() as me:
        assert [run_due(me, clock), run_due(me, clock)] == [1, 0]
        clock.at += MINUTE
        assert run_due(me, clock) == 1
    assert ran == [NOW, NOW + MINUTE]
    last = standing(NOW).last
    assert last is not None
    assert (last.told, last.failures) == ("something", 0)


def test_a_job_that_fails_is_tried_again_sooner_than_its_turn_and_is_late_at_last(
    clock: Hand, only: Callable[..., Job]
) -> None:
    only(broken, timedelta(days=1))
    tries = 0
    with present() as me:
        while clock.at < NOW + timedelta(hours=6):
            tries += run_due(me, clock)
            clock.at += MINUTE
    assert 6 <= tries <= 12
    now = standing(clock.at)
    assert now.last is not None
    assert (now.last.outcome, now.last.failures) == ("failed", tries)
    assert "11101" not in now.last.told, "what an error says may be about a person"
    assert not now.late
    assert standing(NOW + timedelta(days=3)).late


def test_one_that_fails_does_not_stop_the_others(clock: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[datetime] = []
    two = (
        Job("a-job", "Fails.", MINUTE, broken),
        Job("b-job", "Works.", MINUTE, lambda at: ran.append(at) or ""),  # type: ignore[func-returns-value]
    )
    monkeypatch.setattr(scheduling, "all_jobs", lambda: {job.name: job for job in two})
    with present() as me:
        assert run_due(me, clock) == 2
    assert ran == [NOW]


def test_what_a_worker_runs_no_other_runs(clock: Hand, only: Callable[..., Job]) -> None:
    came_to: list[object] = []

    def run(_at: datetime) -> str:
        clock.at += timedelta(days=1)
        with present() as other:
            came_to.append(run_due(other, clock))
            with pytest.raises(JobRunningError):
                run_now(job, other, clock)
        came_to.append(standing(clock.at).running)
        return ""

    job = only(run)
    with present() as me:
        run_due(me, clock)
    assert came_to == [0, True]


def claimed_by_one_who_is_gone(clock: Hand) -> None:
    with present() as gone:
        number = gone.number
        assert is_present(number)
    until = time.monotonic() + 5  # the server ends a session in its own time
    while is_present(number) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_present(number)
    LastRun.objects.update(worker=number, started_at=clock.at, ended_at=None, outcome="")


def test_what_a_worker_that_is_gone_had_begun_is_begun_anew_at_once(
    clock: Hand, only: Callable[..., Job]
) -> None:
    only(lambda _at: "whole", timedelta(days=1))
    with present() as me:
        run_due(me, clock)
        claimed_by_one_who_is_gone(clock)
        assert standing(clock.at).interrupted
        assert run_due(me, clock) == 1
    last = standing(clock.at).last
    assert last is not None
    assert (last.outcome, last.told) == ("done", "whole")


def test_a_job_that_kills_its_worker_does_so_less_and_less_often(
    clock: Hand, only: Callable[..., Job]
) -> None:
    only(lambda _at: "", timedelta(days=1))
    taken = []

    def dies(_presence: Presence) -> int:
        before = standing(clock.at).last
        claimed = scheduling._claim(all_of()[0], _presence, clock(), even_if_not_due=False)
        if claimed:
            assert before is not None
            failures = LastRun.objects.get().failures
            claimed_by_one_who_is_gone(clock)
            LastRun.objects.update(failures=failures)
        return claimed

    def all_of() -> list[Job]:
        return list(scheduling.all_jobs().values())

    with present() as me:
        run_due(me, clock)
        clock.at += timedelta(days=1)
        end = clock.at + timedelta(hours=3)
        while clock.at < end:
            if dies(me):
                taken.append(clock.at)
            clock.at += MINUTE
    waits = [(b - a) for a, b in itertools.pairwise(taken)]
    assert waits[0] <= 2 * MINUTE
    assert max(waits) >= 30 * MINUTE


def test_somebody_may_run_a_job_before_its_time(clock: Hand, only: Callable[..., Job]) -> None:
    job = only(lambda _at: "done twice", timedelta(days=1))
    with present() as me:
        run_due(me, clock)
        assert run_now(job, me, clock) == "done twice"
    job = only(broken)
    with present() as me, pytest.raises(JobFailedError):
        run_now(job, me, clock)


def test_an_unknown_job_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(UnknownJobError, match="cases-deadlines"):
        job_named("nothing")
    assert jobs.job_named("cases-deadlines").every == MINUTE


@pytest.mark.django_db(transaction=True)
def test_of_several_workers_at_the_same_moment_one_runs_a_job(clock: Hand, only: Callable[..., Job]) -> None:
    ran: list[datetime] = []
    only(lambda at: ran.append(at) or "")  # type: ignore[func-returns-value]

    def worker() -> int:
        with present() as me:
            return run_due(me, clock)

    assert sorted(map(str, at_once(*[worker] * 6))) == ["0"] * 5 + ["1"]
    assert ran == [NOW]
