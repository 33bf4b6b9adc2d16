"""Blocks go out little by little, stop when too many people complain, and can be taken back."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from people import NOW, actor
from registry_publications import decided, imeis, publish

from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.audit.chain import verify
from ceir.registry.background.models import LastRun
from ceir.registry.background.presence import present
from ceir.registry.background.scheduling import JobFailedError, run_now
from ceir.registry.jobs import job_named
from ceir.registry.proposals.deciding import decide
from ceir.registry.releases.models import TRANSITIONS, Member, Release, ReleaseState
from ceir.registry.releases.outgoing import OutgoingError, held_back, is_out, released, write_outgoing
from ceir.registry.releases.planning import ReleaseError, Stage, Terms, bucket_of, plan, waiting
from ceir.registry.releases.proposing import KINDS, propose_start
from ceir.registry.releases.releasing import (
    NotCarriedOnError,
    Progress,
    SecondPersonError,
    carry_on,
    carry_on_all,
    pause,
    released_devices,
    resume,
    start,
    stop,
    undo,
)
from ceir.registry.releases.signals import Signal
from ceir.registry.runs.applying import apply

SALT = b"drawn for a test"
DEVICES = imeis(1000)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Counted:
    """Signals that the test sets."""

    def __init__(self) -> None:
        self.counts = {"appeals": 0, "sightings": 0}

    @property
    def signals(self) -> dict[str, Signal]:
        def of(name: str) -> Callable[[int, datetime], int]:
            return lambda release, at: self.counts[name]  # noqa: ARG005 - what a signal is asked

        return {name: Signal(name, "For a test.", of(name)) for name in self.counts}


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture(autouse=True)
def _blocked(tmp_path: Path) -> None:
    rows = [decided(imei) for imei in DEVICES]
    rows.append(decided(imeis(1, 44)[0], "tracked"))
    apply(publish(tmp_path / "1", 1, rows), actor=SYSTEM, at=NOW)


def terms(*stages: Stage, cap: int | None = None, alone: str = "1", tolerated: int = 0) -> Terms:
    return Terms(
        stages=stages or (Stage(Decimal("0.01")), Stage(Decimal("0.1")), Stage(Decimal(1))),
        budgets={"appeals": Decimal(5), "sightings": Decimal(50)},
        daily_cap=cap,
        tolerated=tolerated,
        alone_share=Decimal(alone),
    )


def planned(counted: Counted, chosen: Terms | None = None, *, run: int = 1, **more: object) -> Release:
    return plan(
        run, chosen or terms(), salt=SALT, reason="newly blocked", actor=actor(Role.OFFICER), at=NOW,
        signals=counted.signals, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def started(counted: Counted, chosen: Terms | None = None, **more: object) -> Release:
    return start(planned(counted, chosen, **more).pk, actor=actor(Role.OFFICER), at=NOW)


def tick(release: Release, counted: Counted, at: datetime) -> Progress:
    return carry_on(release.pk, actor=SYSTEM, at=at, signals=counted.signals)


def out(operator: str = "", at: datetime = NOW) -> set[str]:
    return {listed.identity for listed in released(at, operator)}


def back(operator: str = "", at: datetime = NOW) -> set[str]:
    return {listed.identity for listed in held_back(at, operator)}


def test_nothing_goes_out_before_a_release_lets_it(counted: Counted) -> None:
    assert (out(), len(back()), waiting(1)) == (set(), 1000, 1000)
    release = planned(counted)
    assert (out(), waiting(1)) == (set(), 0)
    start(release.pk, actor=actor(Role.OFFICER), at=NOW)
    assert out() == set()
    verify()


def test_stages_widen_and_who_is_in_stays_in(counted: Counted) -> None:
    release = started(counted)
    assert 0 < tick(release, counted, NOW).moved < 30
    canary = out()
    assert canary == {i for i in DEVICES if bucket_of(SALT, int(i)) < 10_000}
    assert tick(release, counted, NOW + HOUR).moved == 0
    tick(release, counted, NOW + DAY)
    tenth = out()
    assert canary < tenth
    assert 60 < len(tenth) < 140
    assert tick(release, counted, NOW + DAY + HOUR).moved == 0
    done = tick(release, counted, NOW + 2 * DAY).release
    assert out() == set(DEVICES)
    assert (done.state, back()) == ("done", set())
    assert tick(release, counted, NOW + 9 * DAY).moved == 0
    assert [s.what for s in done.steps.all()] == [
        "planned", "started", "released", "released", "released", "done"
    ]  # fmt: skip


def test_the_same_salt_gives_the_same_canary_and_another_gives_another() -> None:
    def canary(salt: bytes) -> list[str]:
        return sorted(DEVICES, key=lambda i: bucket_of(salt, int(i)))[:50]

    assert canary(SALT) == canary(SALT)
    assert len(set(canary(SALT)) & set(canary(b"another one drawn"))) < 15
    assert all(0 <= bucket_of(SALT, n) < 1_000_000 for n in (0, 10**14 - 1, -5, -(2**62)))


def test_no_more_than_the_daily_cap_goes_out_within_24_hours(counted: Counted) -> None:
    release = started(counted, terms(Stage(Decimal(1)), cap=300))
    assert [tick(release, counted, NOW + n * HOUR).moved for n in (0, 1, 23)] == [300, 0, 0]
    assert tick(release, counted, NOW + DAY).moved == 300
    for day in (2, 3):
        tick(release, counted, NOW + day * DAY)
    assert len(out()) == 1000
    assert tick(release, counted, NOW + 5 * DAY).release.state == "done"
    first = [m.imei for m in Member.objects.order_by("moved_at", "bucket")[:300]]
    assert first == sorted(map(int, DEVICES), key=lambda i: (bucket_of(SALT, i), i))[:300]


def test_a_stage_of_one_operator_blocks_there_only(counted: Counted) -> None:
    stages = (
        Stage(Decimal("0.1"), operators=("operator1",)),
        Stage(Decimal("0.1"), operators=("operator1", "operator2")),
        Stage(Decimal(1)),
    )
    release = started(counted, terms(*stages))
    tick(release, counted, NOW)
    canary = out("operator1")
    assert 60 < len(canary) < 140
    assert (out("operator2"), out("operator9"), out()) == (set(), set(), set())
    assert back("operator2") == set(DEVICES)
    assert back("operator1") == set(DEVICES) - canary
    one = int(min(canary))
    assert is_out(one, NOW, "operator1")
    assert not is_out(one, NOW, "operator2")
    tick(release, counted, NOW + DAY)
    assert out("operator2") == out("operator1") == canary
    tick(release, counted, NOW + 2 * DAY)
    assert out("operator9") == out() == set(DEVICES)


@pytest.mark.parametrize(("signal", "bearable"), [("appeals", 5), ("sightings", 50)])
def test_it_stops_by_itself_above_the_budget_for_1000_devices(
    counted: Counted, signal: str, bearable: int
) -> None:
    release = started(counted, terms(Stage(Decimal(1)), cap=999))
    tick(release, counted, NOW)
    counted.counts[signal] = bearable - 1
    assert tick(release, counted, NOW + HOUR).release.state == "running"
    counted.counts[signal] = bearable  # of 999 devices: above
    result = tick(release, counted, NOW + DAY)
    assert (result.stopped_by, result.release.state, result.moved) == (signal, "stopped", 0)
    step = result.release.steps.last()
    assert step is not None
    assert (step.what, step.by) == ("stopped", "system")
    assert f"{bearable} {signal} of 999 released devices" in step.because
    assert len(out()) == 999
    assert carry_on_all(actor=SYSTEM, at=NOW + DAY, signals=counted.signals) == []


def test_a_release_that_cannot_be_looked_at_holds_up_no_other_and_the_job_fails(
    counted: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = started(counted, terms(Stage(Decimal(1))))
    newly = imeis(50, 36_000_000_000_000)
    rows = [decided(one) for one in (*DEVICES, *newly)]
    apply(publish(tmp_path / "2", 2, rows), actor=SYSTEM, at=NOW, because="for a test")
    good = started(counted, terms(Stage(Decimal(1)), cap=20), run=2)

    def count(release: int, at: datetime) -> int:
        if release == broken.pk:
            raise ZeroDivisionError(f"of 356759041234567 at {at}")
        return counted.counts["appeals"]

    signals = {**counted.signals, "appeals": Signal("appeals", "For a test.", count)}
    with pytest.raises(NotCarriedOnError) as told:
        carry_on_all(actor=SYSTEM, at=NOW, signals=signals)
    assert told.value.detail == (
        f"release {broken.pk}: ZeroDivisionError. The others: 1 releases, 20 devices let out, 0 stopped"
    )
    assert out() < set(newly)
    counted.counts["appeals"] = 50
    with pytest.raises(NotCarriedOnError, match="1 stopped"):
        carry_on_all(actor=SYSTEM, at=NOW, signals=signals)
    good.refresh_from_db()
    assert good.state == "stopped"
    monkeypatch.setattr("ceir.registry.releases.releasing.all_signals", lambda: signals)
    with present() as me, pytest.raises(JobFailedError, match=f"release {broken.pk}: ZeroDivisionError"):
        run_now(job_named("releases-carry-on"), me, lambda: NOW)
    last = LastRun.objects.get(pk="releases-carry-on")
    assert (last.outcome, last.failures) == ("failed", 1)
    assert "35675904" not in last.told


def test_a_few_signals_of_a_small_canary_are_borne_when_the_policy_says_so(counted: Counted) -> None:
    release = started(counted, terms(tolerated=2))
    tick(release, counted, NOW)
    counted.counts["appeals"] = 2
    assert tick(release, counted, NOW + HOUR).release.state == "running"
    counted.counts["appeals"] = 3
    assert tick(release, counted, NOW + HOUR).release.state == "stopped"


def test_a_budget_that_nobody_counts_is_refused_and_one_no_longer_counted_stops(counted: Counted) -> None:
    with pytest.raises(ReleaseError, match="Nobody counts"):
        plan(1, terms(), salt=SALT, reason="x", actor=actor(Role.OFFICER), at=NOW, signals={})
    release = started(counted)
    only = {"appeals": counted.signals["appeals"]}
    assert carry_on(release.pk, actor=SYSTEM, at=NOW, signals=only).stopped_by == "sightings"
    assert out() == set()


def test_undoing_takes_back_everything_and_keeps_the_history(counted: Counted) -> None:
    release = started(counted, terms(Stage(Decimal(1)), cap=400))
    tick(release, counted, NOW)
    tick(release, counted, NOW + DAY)
    assert len(out()) == 800
    assert undo(release.pk, reason="wrong list", actor=actor(Role.OFFICER), at=NOW + DAY) == 800
    assert (out(), back()) == (set(), set(DEVICES))
    release.refresh_from_db()
    assert (release.state, release.undone_at) == ("stopped", NOW + DAY)
    assert Member.objects.filter(stage__isnull=False).count() == 800
    assert [s.what for s in release.steps.all()][-1] == "undone"
    assert tick(release, counted, NOW + 2 * DAY).moved == 0
    with pytest.raises(ReleaseError, match="nothing out"):
        undo(release.pk, reason="again", actor=actor(Role.OFFICER), at=NOW + DAY)
    verify()


def test_a_finished_release_can_be_undone_and_its_devices_only_on_purpose_released_again(
    counted: Counted,
) -> None:
    release = started(counted, terms(Stage(Decimal(1))))
    assert tick(release, counted, NOW).release.state == "done"
    undo(release.pk, reason="wrong list", actor=actor(Role.OFFICER), at=NOW)
    release.refresh_from_db()
    assert release.state == "done"
    assert waiting(1) == 0
    with pytest.raises(ReleaseError, match="No blocked device waits"):
        planned(counted)
    second = started(counted, terms(Stage(Decimal(1))), again=True)
    tick(second, counted, NOW + DAY)
    assert out() == set(DEVICES)


def test_a_planned_release_has_nothing_to_undo(counted: Counted) -> None:
    with pytest.raises(ReleaseError, match="nothing out"):
        undo(planned(counted).pk, reason="x", actor=actor(Role.OFFICER), at=NOW)


def test_what_was_never_let_out_by_a_stopped_release_waits_again(counted: Counted) -> None:
    release = started(counted)
    tick(release, counted, NOW)
    canary = out()
    stop(release.pk, reason="another plan", actor=actor(Role.OFFICER), at=NOW)
    assert waiting(1) == 1000 - len(canary)
    second = started(counted, terms(Stage(Decimal(1))))
    assert tick(second, counted, NOW).moved == 1000 - len(canary)
    assert out() == set(DEVICES)


def test_a_device_that_is_unblocked_is_not_out_and_blocked_anew_it_waits_for_another_release(
    counted: Counted, tmp_path: Path
) -> None:
    release = started(counted, terms(Stage(Decimal(1))))
    tick(release, counted, NOW)
    lost = DEVICES[0]
    rest = [decided(imei) for imei in DEVICES[1:]]
    apply(publish(tmp_path / "2", 2, rest, base=1), actor=SYSTEM, at=NOW + DAY)
    assert lost not in out() | back()
    apply(publish(tmp_path / "3", 3, [*rest, decided(lost)], base=2), actor=SYSTEM, at=NOW + 2 * DAY)
    assert back() == {lost}
    assert out() == set(DEVICES[1:])
    assert waiting(3) == 1
    second = started(counted, terms(Stage(Decimal(1))), run=3)
    assert tick(second, counted, NOW + 3 * DAY).moved == 1
    assert undo(release.pk, reason="the old one", actor=actor(Role.OFFICER), at=NOW + 3 * DAY) == 1000
    assert out() == {lost}


def test_a_device_that_is_unblocked_while_it_waits_in_a_release_never_goes_out(
    counted: Counted, tmp_path: Path
) -> None:
    release = started(counted, terms(Stage(Decimal(1)), cap=500))
    tick(release, counted, NOW)
    rest = [decided(imei) for imei in out()]
    apply(publish(tmp_path / "2", 2, rest, base=1), actor=SYSTEM, at=NOW)
    assert tick(release, counted, NOW + DAY).moved == 0
    assert len(out()) == 500


def test_a_release_may_be_of_some_conditions_only(counted: Counted, tmp_path: Path) -> None:
    rows = [
        decided(i, conditions="stolen|unallocated" if int(i) % 10 == 0 else "unallocated") for i in DEVICES
    ]
    apply(publish(tmp_path / "2", 2, rows, base=1), actor=SYSTEM, at=NOW)
    release = started(counted, terms(Stage(Decimal(1))), conditions=("stolen",), run=2)
    assert tick(release, counted, NOW).moved == 100
    assert waiting(2) == 900


def test_paused_it_lets_nothing_out_and_resumed_it_goes_on(counted: Counted) -> None:
    release = started(counted, terms(Stage(Decimal(1)), cap=10))
    officer = actor(Role.OFFICER)
    tick(release, counted, NOW)
    pause(release.pk, reason="a holiday", actor=officer, at=NOW)
    assert tick(release, counted, NOW + DAY).moved == 0
    assert len(out()) == 10
    resume(release.pk, reason="it is over", actor=officer, at=NOW)
    with pytest.raises(ReleaseError, match="not paused"):
        resume(release.pk, reason="again", actor=officer, at=NOW)
    assert tick(release, counted, NOW + DAY).moved == 10


@pytest.mark.parametrize("state", list(ReleaseState))
def test_no_state_goes_where_the_table_does_not_lead(counted: Counted, state: ReleaseState) -> None:
    release = planned(counted)
    Release.objects.filter(pk=release.pk).update(state=state.value)
    officer = actor(Role.OFFICER)
    deeds: dict[ReleaseState, Callable[[], object]] = {
        ReleaseState.PAUSED: lambda: pause(release.pk, reason="x", actor=officer, at=NOW),
        ReleaseState.STOPPED: lambda: stop(release.pk, reason="x", actor=officer, at=NOW),
    }
    if state is not ReleaseState.PAUSED:
        deeds[ReleaseState.RUNNING] = lambda: start(release.pk, actor=officer, at=NOW)
    for wanted, deed in deeds.items():
        if wanted not in TRANSITIONS[state]:
            with pytest.raises(ReleaseError):
                deed()
            release.refresh_from_db()
            assert release.state == state.value


def test_many_small_releases_are_one_large_and_take_a_second_person(counted: Counted) -> None:
    little = terms(Stage(Decimal("0.01")), alone="0.01")
    stop(started(counted, little).pk, reason="x", actor=actor(Role.OFFICER), at=NOW)
    again = planned(counted, little)
    for who in (actor(Role.OFFICER), actor(Role.OFFICER, "officer-2")):
        with pytest.raises(SecondPersonError):
            start(again.pk, actor=who, at=NOW + timedelta(days=29))
    assert start(again.pk, actor=actor(Role.OFFICER), at=NOW + timedelta(days=31)).started_alone


def test_more_than_the_policy_leaves_to_one_person_takes_a_second(counted: Counted) -> None:
    assert [k.name for k in KINDS] == ["release.start", "override.begin", "override.end"]
    small = started(counted, terms(Stage(Decimal("0.01")), alone="0.01"))
    assert small.state == "running"
    stop(small.pk, reason="x", actor=actor(Role.OFFICER), at=NOW)
    release = planned(counted, terms(Stage(Decimal("0.01")), Stage(Decimal("0.02")), alone="0.01"))
    officer = actor(Role.OFFICER)
    with pytest.raises(SecondPersonError):
        start(release.pk, actor=officer, at=NOW)
    proposal = propose_start(release.pk, reason="the canary was quiet", actor=officer, at=NOW)
    for other in (officer, actor(Role.OFFICER, "officer-2")):
        with pytest.raises(PermissionDeniedError):
            decide(proposal.pk, accept=True, actor=other, reason="ok", at=NOW)
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="seen", at=NOW)
    release.refresh_from_db()
    assert release.state == "running"
    with pytest.raises(ReleaseError):
        propose_start(release.pk, reason="again", actor=officer, at=NOW)


def test_only_who_may_touches_a_release(counted: Counted) -> None:
    release = planned(counted)
    for role in (Role.REVIEWER, Role.AUDITOR, Role.OPERATOR, Role.POLICE, Role.CONSUMER, Role.ADMINISTRATOR):
        who = actor(role)
        for deed in (
            lambda who=who: start(release.pk, actor=who, at=NOW),
            lambda who=who: pause(release.pk, reason="x", actor=who, at=NOW),
            lambda who=who: stop(release.pk, reason="x", actor=who, at=NOW),
            lambda who=who: undo(release.pk, reason="x", actor=who, at=NOW),
            lambda who=who: carry_on(release.pk, actor=who, at=NOW, signals=counted.signals),
            lambda who=who: plan(
                1, terms(), salt=SALT, reason="x", actor=who, at=NOW, signals=counted.signals
            ),
        ):
            with pytest.raises(PermissionDeniedError):
                deed()
    with pytest.raises(PermissionDeniedError):
        start(release.pk, actor=SYSTEM, at=NOW)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Stage(Decimal(0)),
        lambda: Stage(Decimal("1.01")),
        lambda: Stage(Decimal("0.0000001")),
        lambda: Stage(Decimal("0.1"), days=-1),
        lambda: Terms(stages=(), budgets={"appeals": Decimal(1)}),
        lambda: Terms(stages=(Stage(Decimal(1)),), budgets={}),
        lambda: Terms(stages=(Stage(Decimal(1)),), budgets={"appeals": Decimal(-1)}),
        lambda: terms(Stage(Decimal("0.5")), Stage(Decimal("0.4"))),
        lambda: terms(Stage(Decimal("0.5")), Stage(Decimal("0.5"), operators=("operator1",))),
        lambda: terms(Stage(Decimal(1), operators=("a", "b")), Stage(Decimal(1), operators=("b",))),
        lambda: terms(cap=0),
    ],
)
def test_terms_that_make_no_sense_are_refused(made: Callable[[], object]) -> None:
    with pytest.raises(ReleaseError):
        made()


def test_a_plan_needs_a_run_a_reason_and_a_salt(counted: Counted) -> None:
    officer = actor(Role.OFFICER)
    for more in ({"run": 9}, {"salt": b"short"}, {"reason": " "}, {"reason": "x\u202ey"}):
        given = {"run": 1, "salt": SALT, "reason": "x", **more}
        with pytest.raises(Exception, match=r".") as refused:
            plan(terms=terms(), actor=officer, at=NOW, signals=counted.signals, **given)  # type: ignore[arg-type]
        assert getattr(refused.value, "code", "") in ("release_refused", "text_refused")
    assert Release.objects.count() == 0


def test_what_goes_out_is_written_as_lists_of_each_operator(counted: Counted, tmp_path: Path) -> None:
    release = started(counted, terms(Stage(Decimal("0.1"), operators=("operator1",)), Stage(Decimal(1))))
    tick(release, counted, NOW)
    folder = tmp_path / "outgoing"
    rows = write_outgoing(folder, ("operator1", "operator2"), actor=SYSTEM, at=NOW)
    canary = out("operator1")

    def column(name: str) -> list[str]:
        return [line.split(",")[0] for line in (folder / name).read_text().splitlines()[1:]]

    assert column("operator1/blocked.csv") == sorted(canary)
    assert column("operator2/blocked.csv") == []
    tracked = imeis(1, 44)
    assert column("operator1/tracked.csv") == sorted([*tracked, *(set(DEVICES) - canary)])
    assert column("operator2/tracked.csv") == sorted([*tracked, *DEVICES])
    assert (folder / "operator1/blocked.csv").read_text().splitlines()[:2] == [
        "imei,block_date,reasons", f"{min(canary)},20261101,Never allocated"
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {f["file"]: f["rows"] for f in manifest["files"]} == rows
    assert manifest["run"] == 1
    with pytest.raises(OutgoingError, match="holds something"):
        write_outgoing(folder, ("operator1",), actor=SYSTEM, at=NOW)
    for operator in ("../x", "", "a/b", "A"):
        with pytest.raises(OutgoingError):
            write_outgoing(tmp_path / "other", (operator,), actor=SYSTEM, at=NOW)
    with pytest.raises(PermissionDeniedError):
        write_outgoing(tmp_path / "third", (), actor=actor(Role.CONSUMER), at=NOW)


def test_the_devices_of_a_release_are_known_to_who_counts_signals(counted: Counted) -> None:
    release = started(counted)
    tick(release, counted, NOW)
    assert {f"{m.imei:014}" for m in released_devices(release.pk)} == out()
