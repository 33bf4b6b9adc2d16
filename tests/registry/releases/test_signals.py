"""What stops a release by itself is counted from the register's own appeals and sightings."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from lost import accept, reported, sighting
from people import NOW, actor
from registry_publications import decided, imeis, publish
from world import proof_of, somebody

from ceir.identifiers import Imei
from ceir.registry.actors import SYSTEM, Role
from ceir.registry.appeals.appealing import AppealPolicy, make, withdraw
from ceir.registry.appeals.deciding import recommend, run_clocks
from ceir.registry.appeals.models import Appeal
from ceir.registry.cases.tracing import take_sightings
from ceir.registry.codes.models import Purpose
from ceir.registry.lists_and_cases import decision_in_force
from ceir.registry.proposals.deciding import decide
from ceir.registry.registrations.owning import Seen
from ceir.registry.releases.models import Release
from ceir.registry.releases.outgoing import is_out, released
from ceir.registry.releases.planning import Stage, Terms, plan
from ceir.registry.releases.releasing import Progress, carry_on, released_devices, start
from ceir.registry.releases.signals import all_signals
from ceir.registry.runs.applying import apply

DAY = timedelta(days=1)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Half of 100 blocked devices are out."""
    apply(publish(tmp_path / "1", 1, [decided(imei) for imei in imeis(100)]), actor=SYSTEM, at=NOW)
    terms = Terms(
        stages=(Stage(Decimal("0.5")), Stage(Decimal(1))),
        budgets={"appeals": Decimal(30), "sightings": Decimal(30)},  # of 30 to 50 devices: 1
        alone_share=Decimal(1),
    )
    made = plan(1, terms, salt=b"drawn for a test", reason="x", actor=actor(Role.OFFICER), at=NOW)
    start(made.pk, actor=actor(Role.OFFICER), at=NOW)
    assert 30 < carry_on(made.pk, actor=SYSTEM, at=NOW).moved < 51
    return made


def appealed(imei: int, n: int, at: datetime) -> Appeal:
    identity = Imei.from_number(imei)
    return make(
        identity, "unallocated", "Mine.", proof=proof_of(Purpose.APPEAL, n, at=at),
        decision_of=decision_in_force, seen_with=lambda _: [Seen(identity, at)],
        policy=AppealPolicy(theft=frozenset()), actor=somebody(n), at=at,
    )  # fmt: skip


def devices(release: Release) -> tuple[list[int], list[int]]:
    """Those that are out, and the others."""
    out = sorted(released_devices(release.pk).values_list("imei", flat=True))
    return out, sorted({int(imei) for imei in imeis(100)} - set(out))


def tick(release: Release, at: datetime) -> Progress:
    return carry_on(release.pk, actor=SYSTEM, at=at)


def test_every_signal_that_a_budget_can_name_is_counted() -> None:
    assert set(all_signals()) == {"appeals", "sightings"}


def test_more_appeals_about_what_is_out_than_the_budget_bears_stop_a_release(release: Release) -> None:
    out, held = devices(release)
    appealed(held[0], 1, NOW)
    appealed(held[1], 2, NOW)
    withdrawn = appealed(out[2], 3, NOW)
    withdraw(withdrawn.pk, proof=proof_of(Purpose.APPEAL, 3), actor=somebody(3), at=NOW)
    assert tick(release, NOW + timedelta(hours=1)).stopped_by == ""
    appealed(out[0], 4, NOW)
    appealed(out[1], 5, NOW)
    stopped = tick(release, NOW + DAY)
    assert (stopped.stopped_by, stopped.moved, stopped.release.state) == ("appeals", 0, "stopped")
    assert devices(release) == (out, held)


def test_lost_devices_that_networks_serve_although_they_are_out_stop_it_too(release: Release) -> None:
    out, _ = devices(release)
    case = reported(imeis=(Imei.from_number(out[0]), Imei.from_number(out[1])))
    accept(case)
    later = NOW + timedelta(hours=2)
    take_sightings([sighting(later, Imei.from_number(out[0]))] * 2, actor=SYSTEM, at=later)
    assert tick(release, later).stopped_by == ""
    take_sightings([sighting(later, Imei.from_number(out[1]))], actor=SYSTEM, at=later)
    assert tick(release, NOW + DAY).stopped_by == "sightings"


def test_who_is_restored_is_off_the_lists_that_go_out_at_once_and_back_on_them_when_dismissed(
    release: Release,
) -> None:
    out, _ = devices(release)
    mine, others = f"{out[0]:014}", {f"{imei:014}" for imei in out[1:]}
    appeal = appealed(out[0], 1, NOW)
    late = appeal.decide_by
    assert {one.identity for one in released(NOW)} == {mine, *others}
    assert run_clocks(late) == 1
    assert {one.identity for one in released(late)} == others
    assert (is_out(out[0], late), is_out(out[1], late)) == (False, True)
    assert is_out(out[0], late - timedelta(seconds=1))
    proposal = recommend(appeal.pk, uphold=False, reason="x", actor=actor(Role.OFFICER), at=late)
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="x", at=late)
    assert {one.identity for one in released(late)} == {mine, *others}


def test_another_condition_that_nobody_appealed_against_keeps_a_device_on_the_lists(tmp_path: Path) -> None:
    both = decided(imeis(1)[0], conditions="unallocated|stolen")
    apply(publish(tmp_path / "1", 1, [both]), actor=SYSTEM, at=NOW)
    terms = Terms(
        stages=(Stage(Decimal(1)),), budgets={"appeals": Decimal(1000)}, alone_share=Decimal(1), tolerated=9
    )
    made = plan(1, terms, salt=b"drawn for a test", reason="x", actor=actor(Role.OFFICER), at=NOW)
    start(made.pk, actor=actor(Role.OFFICER), at=NOW)
    assert carry_on(made.pk, actor=SYSTEM, at=NOW).moved == 1
    appeal = appealed(int(imeis(1)[0]), 1, NOW)
    assert run_clocks(appeal.decide_by) == 1
    assert is_out(int(imeis(1)[0]), appeal.decide_by)
