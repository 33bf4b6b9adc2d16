"""No block of which nobody was told goes unseen; and where the policy has it so, none comes yet."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from drawn import counted_draw
from notices_world import AMINA, BADRU, BLOCK, CHEGE, DAY, TERMS, A, B, Country, Shown, noon
from people import NOW, actor, organisation

from ceir.identifiers import Msisdn
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import SYSTEM, OrganisationKind, Role
from ceir.registry.devices.models import Device, Identifier
from ceir.registry.gateways import Receipt, ReceiptState
from ceir.registry.notices.forgetting import forget
from ceir.registry.notices.models import Notice
from ceir.registry.notices.planning import plan_notices
from ceir.registry.notices.preferring import opt_out
from ceir.registry.notices.reports import keep_report, settle
from ceir.registry.notices.sending import send_due
from ceir.registry.notices.terms import Told, Untold
from ceir.registry.notices.unreached import Reach, counts, hold_unreached, reached
from ceir.registry.registrations.models import Kind, Registration, State, Submission
from ceir.registry.releases.models import Hold, Member, Release
from ceir.registry.releases.outgoing import is_out, released
from ceir.registry.releases.planning import Stage, Terms
from ceir.registry.releases.planning import plan as plan_release
from ceir.registry.releases.releasing import carry_on, start
from ceir.registry.releases.signals import Signal
from ceir.registry.runs.models import Contact

HOLDING = replace(TERMS, untold=Untold.HOLD, hold_days=14)
C = "35000000000099"
NOTHING = {"appeals": Signal("appeals", "Nobody appeals.", lambda *_: 0)}


def plan(at: datetime) -> int:
    return plan_notices(HOLDING, draw=counted_draw(), actor=SYSTEM, at=at)


def send(shown: Shown, at: datetime) -> None:
    send_due(shown.route, HOLDING, actor=SYSTEM, at=at)


def deliver(at: datetime) -> None:
    for notice in Notice.objects.filter(state="sent"):
        keep_report("trial", Receipt(f"n{notice.pk}.{notice.tries}", ReceiptState.DELIVERED), at=at)
    settle(HOLDING, at=at)


def release(run: int, at: datetime) -> Release:
    terms = Terms((Stage(Decimal(1)),), {"appeals": Decimal(1)}, alone_share=Decimal(1))
    officer = actor(Role.OFFICER)
    made = plan_release(run, terms, salt=b"s" * 16, reason="x", actor=officer, at=at, signals=NOTHING)
    start(made.pk, actor=officer, at=at)
    return go_on(made, at)


def go_on(made: Release, at: datetime) -> Release:
    return carry_on(made.pk, actor=SYSTEM, at=at, signals=NOTHING).release


def fleet(imei: str, *, exempt: bool = True) -> None:
    """A device that its owner registered with a fleet."""
    owner = organisation(OrganisationKind.IMPORTER)
    device = Device.objects.create(entered_at=NOW)
    Identifier.objects.create(device=device, kind="imei", imei=int(imei), bound_at=NOW)
    submission = Submission.objects.create(
        kind=Kind.FLEET.value, organisation=owner, sms_exempt=exempt, entered_by="account:1", entered_at=NOW
    )
    Registration.objects.create(
        submission=submission, device=device, kind=Kind.FLEET.value, organisation=owner,
        state=State.IN_FORCE.value, entered_at=NOW, begins_at=NOW, sms_exempt=exempt,
    )  # fmt: skip


def test_devices_are_counted_by_how_far_their_notices_came(country: Country, shown: Shown) -> None:
    devices = [f"{35_000_000_000_100 + n}" for n in range(7)]
    numbers = [f"2200000001{n:02}" for n in range(7)]
    country.take(*zip(devices[:6], numbers[:6], strict=True), (devices[6], "112"))
    opt_out(Msisdn(numbers[0]), TERMS, actor=actor(Role.OFFICER), at=NOW)
    fleet(devices[1])
    plan(noon(7))
    send(shown, noon(7))
    assert numbers[1] not in shown.numbers
    found = {int(n.imei or 0): n for n in Notice.objects.all()}
    for place, state in ((2, ReceiptState.DELIVERED), (3, ReceiptState.REFUSED)):
        keep_report("trial", Receipt(f"n{found[int(devices[place])].pk}.1", state), at=noon(7))
    settle(HOLDING, at=noon(7))
    Notice.objects.filter(imei=int(devices[4])).update(state="uncertain")
    assert {one.identity: one.reach for one in reached(BLOCK, BLOCK)} == {
        devices[0]: Reach.OPTED_OUT, devices[1]: Reach.EXEMPT, devices[2]: Reach.DELIVERED,
        devices[3]: Reach.FAILED, devices[4]: Reach.UNCERTAIN, devices[5]: Reach.SENT,
        devices[6]: Reach.FAILED,
    }  # fmt: skip
    assert counts(BLOCK, BLOCK)[Reach.FAILED] == 2
    assert counts(BLOCK + DAY, BLOCK + 30 * DAY) == {}


def test_the_best_of_several_subscribers_and_notices_counts(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (A, BADRU))
    plan(noon(7))
    send(shown, noon(7))
    first = Notice.objects.earliest("pk")
    keep_report("trial", Receipt(f"n{first.pk}.1", ReceiptState.DELIVERED), at=noon(7))
    settle(HOLDING, at=noon(7))
    assert [one.reach for one in reached(BLOCK, BLOCK)] == [Reach.DELIVERED]


def test_a_device_of_a_fleet_that_wants_messages_is_told(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    fleet(A, exempt=False)
    plan(noon(7))
    send(shown, noon(7))
    assert shown.numbers == [AMINA]


def test_without_holding_a_block_comes_on_its_day_and_is_counted(country: Country) -> None:
    country.take((A, AMINA))
    plan(noon(1))
    counted = hold_unreached(TERMS, actor=SYSTEM, at=noon(1))
    assert (counted["not told"], counted["held"], Hold.objects.count()) == (1, 0, 0)
    country.take(blocked=(A,))
    release(2, noon(0))
    assert is_out(int(A), noon(0))


def test_a_block_that_nobody_could_be_told_of_is_held_and_told_of_and_comes_in_the_end(
    country: Country, shown: Shown
) -> None:
    country.take((A, AMINA), (B, BADRU))
    plan(noon(7))
    Notice.objects.filter(imei=int(A)).update(state="failed")
    send(shown, noon(7))
    deliver(noon(7))
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(3))["held"] == 0  # there is time
    for _ in range(3):
        plan(noon(1))
        Notice.objects.filter(imei=int(A)).update(state="failed")
        hold_unreached(HOLDING, actor=SYSTEM, at=noon(1))
    hold = Hold.objects.get()
    assert (hold.imei, hold.block_on, hold.until) == (int(A), BLOCK, BLOCK + 14 * DAY)
    country.take(blocked=(A, B))
    made = release(2, noon(0))
    assert [one.identity for one in released(noon(0))] == [B]
    assert made.state == "running"  # it waits for who is held
    # Whoever was last seen with it is told the later date, on the policy's days.
    told_on = []
    for days in range(14):
        at = noon(0) + days * DAY
        plan(at)
        before = len(shown.messages)
        send(shown, at)
        told_on += [days] * (len(shown.messages) - before)
        assert not is_out(int(A), at)
        assert go_on(made, at).state == "running"
    assert told_on == [0, 7, 13]
    assert {m["to"] for m in shown.messages[-3:]} == {AMINA}
    assert "5 January 2027" in shown.messages[-1]["text"]
    end = noon(0) + 14 * DAY
    assert hold_unreached(HOLDING, actor=SYSTEM, at=end)["over"] == 1
    assert go_on(made, end).state == "done"
    assert is_out(int(A), end)
    plan(end)
    assert hold_unreached(HOLDING, actor=SYSTEM, at=end)["held"] == 0  # once for a block, and not for ever


def test_a_hold_ends_as_soon_as_somebody_was_told(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(1))
    Notice.objects.update(state="failed")
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(1))["held"] == 1
    country.take(blocked=(A,))
    made = release(2, noon(0))
    plan(noon(0))
    send(shown, noon(0))
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(0))["told"] == 0
    deliver(noon(0))
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(0))["told"] == 1
    assert go_on(made, noon(0)).state == "done"
    assert is_out(int(A), noon(0))


def test_who_counts_as_told_when_it_was_sent_is_not_held(country: Country, shown: Shown) -> None:
    country.take((A, AMINA))
    plan(noon(1))
    send(shown, noon(1))
    taken = replace(HOLDING, told=Told.SENT)
    assert hold_unreached(taken, actor=SYSTEM, at=noon(1))["held"] == 0
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(1))["held"] == 1


def test_nobody_to_tell_nobody_who_wants_it_and_fleets_are_no_reason_to_hold(country: Country) -> None:
    opt_out(Msisdn(BADRU), TERMS, actor=actor(Role.OFFICER), at=NOW)
    country.take((A, AMINA), (B, BADRU))
    fleet(A)
    country.take((A, AMINA), (B, BADRU), blocked=(C,))
    plan(noon(1))
    Notice.objects.update(state="opted_out")
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(1))["held"] == 0


def test_what_is_out_already_is_not_said_to_be_held(country: Country) -> None:
    country.take((A, AMINA))
    plan(noon(1))
    Notice.objects.update(state="failed")
    country.take(blocked=(A,))
    release(2, noon(0))
    assert hold_unreached(HOLDING, actor=SYSTEM, at=noon(0)) == {
        "not told": 0, "held": 0, "told": 0, "over": 0
    }  # fmt: skip
    assert Member.objects.get().stage == 0


def test_only_who_sends_notices_holds() -> None:
    with pytest.raises(PermissionDeniedError):
        hold_unreached(HOLDING, actor=actor(Role.POLICE), at=noon(1))


def test_by_whom_old_notices_could_be_found_is_forgotten(country: Country, shown: Shown) -> None:
    country.take((A, AMINA), (B, CHEGE))
    plan(noon(7))
    send(shown, noon(7))
    deliver(noon(7))
    assert forget(noon(7) + timedelta(days=31))["notices"] == 0
    Contact.objects.filter(imei=int(A)).update(imsi=None, imsi_key=None, msisdn=None, msisdn_key=None)
    assert forget(noon(7) + timedelta(days=31))["notices"] == 1
    assert forget(noon(7) + timedelta(days=181))["notices"] == 1
    assert not Notice.objects.filter(msisdn_key__isnull=False).exists()
