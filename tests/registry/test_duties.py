"""Duties: what is owed, paid, disputed and paid back; and that who may be right is not cut off."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from people import NOW, actor, organisation
from world import ASKS, POLICY, STANDINGS, imei, phone, proof_of, somebody

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import OrganisationKind, Role
from ceir.registry.audit.chain import verify
from ceir.registry.codes.models import Purpose
from ceir.registry.proposals.deciding import FourEyesError, decide
from ceir.registry.registrations.duties import DutyError, dispute, pay, propose_settlement, refunded
from ceir.registry.registrations.ending import NotYoursError, expire
from ceir.registry.registrations.exporting import associations, registrations
from ceir.registry.registrations.models import Duty, Kind, Registration
from ceir.registry.registrations.policies import DutyBasis, Owed
from ceir.registry.registrations.registering import RegistrationRefusedError, register_own
from ceir.registry.registrations.submitting import submit
from ceir.registry.transitions import IllegalTransitionError

DUE = NOW + timedelta(days=30)


def owed(basis: DutyBasis) -> Owed | None:
    """Declared by a country: the first device of a person is free, each further one costs."""
    if basis.kind is Kind.PERSON and basis.earlier == 0:
        return None
    return Owed(Decimal("150.50") * basis.imeis, "XTS", "Finance Act 12")


POLICY_WITH_DUTY = replace(POLICY, duty_of=owed)


@pytest.fixture(autouse=True)
def _clear() -> None:
    STANDINGS.clear()


def own(serial: int, at: datetime = NOW) -> Registration:
    return register_own(
        phone(serial),
        proof=proof_of(Purpose.REGISTRATION, at=at),
        policy=POLICY_WITH_DUTY,
        asks=ASKS,
        actor=somebody(),
        at=at,
    )


def due() -> Duty:
    own(1)
    return Duty.objects.get(registration=own(2))


def paid(duty: Duty, amount: str = "150.50", payment: str = "PAY-1", at: datetime = NOW) -> Duty:
    return pay(
        duty.pk, amount=Decimal(amount), currency="XTS", payment=payment, actor=actor(Role.CUSTOMS), at=at
    )


def disputed(at: datetime = NOW, serial: int = 2) -> Duty:
    return dispute(
        imei(serial), "I paid at the border.", proof=proof_of(Purpose.DEVICES, at=at), actor=somebody(), at=at
    )


def settled(duty: Duty, amount: str, at: datetime = NOW) -> Duty:
    proposal = propose_settlement(
        duty.pk, Decimal(amount), reason="receipt seen", actor=actor(Role.OFFICER), at=at
    )
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="ok", at=at)
    return Duty.objects.get(pk=duty.pk)


def statuses(at: datetime = NOW) -> dict[str, str]:
    return {row[0][-1]: row[3] for row in registrations(at)}


def test_what_is_owed_makes_a_registration_wait_and_a_payment_puts_it_in_force() -> None:
    duty = due()
    assert (duty.amount, duty.ground, duty.due_by) == (Decimal("150.50"), "Finance Act 12", DUE)
    assert statuses() == {"1": "whitelist", "2": "pending"}
    paid(duty)
    assert statuses() == {"1": "whitelist", "2": "whitelist"}
    verify()


def test_a_payment_entered_twice_counts_once_and_one_for_two_duties_is_refused() -> None:
    duty = due()
    assert paid(duty).paid_at == paid(duty, at=NOW + timedelta(days=1)).paid_at == NOW
    with pytest.raises(DutyError, match="paid already"):
        paid(duty, payment="PAY-2")
    other = Duty.objects.get(registration=own(3))
    with pytest.raises(DutyError, match="for another duty"):
        paid(other)
    assert statuses()["3"] == "pending"


@pytest.mark.parametrize("amount", ["150.49", "0", "-150.50", "NaN", "sNaN", "Infinity", "1E+999999", "301"])
def test_another_amount_than_the_one_owed_is_refused(amount: str) -> None:
    with pytest.raises(DutyError):
        paid(due(), amount)


def test_a_duty_not_paid_in_time_ends_the_registration_and_the_device_can_be_registered_anew() -> None:
    duty = due()
    assert expire(DUE - timedelta(seconds=1)) == 0
    again = own(2, at=DUE)  # nobody swept up yet
    assert again.device == duty.registration.device
    with pytest.raises(IllegalTransitionError):
        paid(duty, at=DUE)
    assert expire(DUE) == 0


def test_a_disputed_device_works_until_somebody_settles_it_and_then_there_is_time_to_pay() -> None:
    duty = due()
    disputed(NOW + timedelta(days=29))
    late = NOW + timedelta(days=300)
    assert expire(late) == 0
    assert statuses(late)["2"] == "whitelist"
    assert len(list(associations(late))) == 2
    with pytest.raises(DutyError, match="is disputed"):
        paid(duty)
    settled(duty, "150.50", late)
    assert statuses(late)["2"] == "pending"
    assert Duty.objects.get(pk=duty.pk).due_by >= late + timedelta(days=7)
    with pytest.raises(DutyError, match="disputed before"):
        disputed(late)


def test_a_waived_duty_puts_the_registration_in_force_and_takes_two_people() -> None:
    duty = due()
    proposal = propose_settlement(duty.pk, Decimal(0), reason="diplomat", actor=actor(Role.CUSTOMS), at=NOW)
    with pytest.raises(FourEyesError):
        decide(proposal.pk, accept=True, actor=actor(Role.CUSTOMS, "c2"), reason="seen", at=NOW)
    assert statuses()["2"] == "pending"
    decide(proposal.pk, accept=True, actor=actor(Role.REVIEWER), reason="ok", at=NOW)
    assert statuses()["2"] == "whitelist"
    assert Duty.objects.get(pk=duty.pk).state == "waived"


def test_what_was_paid_too_much_goes_back_once() -> None:
    duty = due()
    paid(duty)
    disputed()
    assert statuses()["2"] == "whitelist"
    after = settled(duty, "100.25")
    assert (after.state, after.refund) == ("refund_due", Decimal("50.25"))
    assert statuses()["2"] == "whitelist"
    refunded(duty.pk, payment="BACK-1", actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(IllegalTransitionError):
        refunded(duty.pk, payment="BACK-2", actor=actor(Role.OFFICER), at=NOW)
    with pytest.raises(DutyError, match="refunded"):
        settled(duty, "0")


def test_a_dispute_after_payment_that_changes_nothing_leaves_it_paid() -> None:
    duty = due()
    paid(duty)
    disputed()
    assert settled(duty, "150.50").state == "paid"


@pytest.mark.parametrize("amount", ["150.51", "-1", "NaN", "0.001", "Infinity"])
def test_a_duty_never_becomes_more_or_no_amount(amount: str) -> None:
    duty = due()
    with pytest.raises(DutyError):
        propose_settlement(duty.pk, Decimal(amount), reason="x", actor=actor(Role.OFFICER), at=NOW)


def test_a_strangers_duty_is_neither_disputed_nor_seen() -> None:
    due()
    for serial in (2, 1, 99):
        with pytest.raises(NotYoursError):
            dispute(imei(serial), "mine", proof=proof_of(Purpose.DEVICES, 2), actor=somebody(2), at=NOW)
    for role in (Role.CONSUMER, Role.DEALER, Role.OPERATOR, Role.AUDITOR):
        with pytest.raises(PermissionDeniedError):
            pay(1, amount=Decimal(1), currency="XTS", payment="x", actor=actor(role), at=NOW)


@pytest.mark.parametrize("text", ["", "  ", "a\0", "x" * 1001, "\ud800"])
def test_hostile_texts_are_refused(text: str) -> None:
    duty = due()
    with pytest.raises(CeirError):
        dispute(imei(2), text, proof=proof_of(Purpose.DEVICES), actor=somebody(), at=NOW)
    with pytest.raises(CeirError):
        paid(duty, payment=text)
    with pytest.raises(DutyError):
        paid(Duty(pk=10**12))


@pytest.mark.parametrize(
    ("amount", "currency"), [("-1", "XTS"), ("1.234", "XTS"), ("1", "EURO"), ("0", "XTS")]
)
def test_a_countrys_rule_that_gives_no_amount_stops_the_registration(amount: str, currency: str) -> None:
    with pytest.raises(RegistrationRefusedError, match="no amount of money"):
        register_own(
            phone(1),
            proof=proof_of(Purpose.REGISTRATION),
            policy=replace(POLICY, duty_of=lambda _: Owed(Decimal(amount), currency, "wrong")),
            asks=ASKS,
            actor=somebody(),
            at=NOW,
        )
    assert Registration.objects.count() == 0


def test_a_batch_owes_for_each_device_and_its_time_to_pay_begins_with_the_second_person() -> None:
    outcome = submit(
        Kind.IMPORT,
        [phone(n) for n in range(1, 4)],
        organisation=organisation(OrganisationKind.IMPORTER).pk,
        reason="ship",
        policy=POLICY_WITH_DUTY,
        asks=ASKS,
        actor=actor(Role.IMPORTER),
        at=NOW,
    )
    assert outcome.proposal is not None
    later = NOW + timedelta(days=10)
    decide(outcome.proposal, accept=True, actor=actor(Role.CUSTOMS), reason="seen", at=later)
    assert set(Duty.objects.values_list("due_by", flat=True)) == {later + timedelta(days=30)}
    assert set(statuses(later).values()) == {"pending"}
    for n, duty in enumerate(Duty.objects.all()):
        paid(duty, payment=f"P{n}", at=later)
    assert set(statuses(later).values()) == {"whitelist"}
