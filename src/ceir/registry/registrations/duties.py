"""What is owed for a registration: paid, disputed, waived, paid back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.free_text import free_text
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import held_by, not_yours
from ceir.registry.registrations.models import (
    DUTY_TRANSITIONS,
    TRANSITIONS,
    Duty,
    DutyState,
    Registration,
    State,
)
from ceir.registry.transitions import move


class DutyError(CeirError):
    """A payment, a dispute or a refund does not fit what is owed."""

    code: ClassVar[str] = "duty_refused"


def pay(duty_id: int, *, amount: Decimal, currency: str, payment: str, actor: Actor, at: datetime) -> Duty:
    """Enter a payment; the registration comes into force. The same payment entered again changes nothing.

    Args:
        payment: the payer's or the bank's reference.

    Raises:
        DutyError: not the amount owed, paid already by another payment, or this payment was for another duty.
    """
    require(actor, Permission.DUTY_SETTLE)
    payment = free_text(payment, "A payment's reference", 64, needed=True)
    try:
        with transaction.atomic():
            registration, duty = _locked(duty_id)
            if duty.payment == payment and duty.paid_at is not None:
                return duty
            if not amount.is_finite() or (amount, currency) != (duty.amount, duty.currency):
                raise DutyError(
                    f"{duty.amount} {duty.currency} is owed; another amount came.",
                    "Enter the whole amount, or send the payment back.",
                )
            if duty.paid_at is not None:
                raise DutyError("The duty is paid already.", "Send the second payment back.")
            if DutyState(duty.state) is DutyState.DISPUTED:
                raise DutyError(
                    "The duty is disputed.",
                    "It can be paid once that is settled; the device works meanwhile.",
                )
            move(duty, DutyState.PAID, DUTY_TRANSITIONS, _named(duty))
            duty.paid_at, duty.payment = at, payment
            duty.save()
            _in_force(registration, at)
            record(actor, "duty.paid", str(duty), at=at)
    except IntegrityError as error:
        raise DutyError(
            "This payment was entered for another duty.", "Compare its reference with the slip."
        ) from error
    return duty


def dispute(imei: Imei, why: str, *, proof: Proof | None, actor: Actor, at: datetime) -> Duty:
    """The holder says that a duty is wrong, once. Until that is settled the device may be used.

    Args:
        proof: of the holder's number, for `Purpose.DEVICES`; None: an organisation's own device.

    Raises:
        NotYoursError: nothing is owed by this holder for this device.
        DutyError: it was disputed before.
    """
    require(actor, Permission.DEVICE_REGISTER, owner=actor.organisation)
    why = free_text(why, "What is wrong", 1000, needed=True, lines=True)
    if proof is not None:
        check(proof, Purpose.DEVICES, actor=actor, at=at)
    with transaction.atomic():
        _, registration = held_by(imei, proof, actor)
        duty = Duty.objects.select_for_update().filter(registration=registration).first()
        if duty is None:
            raise not_yours()
        if duty.disputed_at is not None:
            raise DutyError(
                "The duty was disputed before.", "What was settled then stands; a court may differ."
            )
        move(duty, DutyState.DISPUTED, DUTY_TRANSITIONS, _named(duty))
        duty.disputed_at, duty.dispute = at, why
        duty.save()
        if proof is not None:
            use(proof, Purpose.DEVICES, actor=actor, at=at)
        record(actor, "duty.disputed", str(duty), at=at)
    return duty


def propose_settlement(duty_id: int, amount: Decimal, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask for a duty to be another amount from now on: 0 waives it, what was paid too much goes back.

    Args:
        amount: what is right; never more than was assessed.

    Raises:
        DutyError: more than was assessed, no amount of money, or the duty is over.
    """
    with transaction.atomic():
        _, duty = _locked(duty_id)
        _check_amount(duty, amount)
        return propose(SETTLEMENT, str(duty), {"amount": str(amount)}, actor=actor, reason=reason, at=at)


def settled(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed to another amount."""
    registration, duty = _locked(proposal.subject_key)
    amount = Decimal(proposal.payload["amount"])
    _check_amount(duty, amount)
    if duty.paid_at is not None:
        back = duty.amount - amount
        if back:
            duty.refund = back
            move(duty, DutyState.REFUND_DUE, DUTY_TRANSITIONS, _named(duty))
        elif DutyState(duty.state) is DutyState.DISPUTED:
            move(duty, DutyState.PAID, DUTY_TRANSITIONS, _named(duty))
    elif amount == 0:
        move(duty, DutyState.WAIVED, DUTY_TRANSITIONS, _named(duty))
        _in_force(registration, at)
    else:
        if DutyState(duty.state) is DutyState.DISPUTED:
            assert duty.disputed_at is not None
            move(duty, DutyState.ASSESSED, DUTY_TRANSITIONS, _named(duty))
            # While it was disputed the clock stood still; and some days to pay are always left.
            duty.due_by = max(duty.due_by + (at - duty.disputed_at), at + _DAYS_LEFT)
        duty.amount = amount
    duty.save()
    record(actor, "duty.settled", str(duty), at=at, detail={"amount": str(amount)})


SETTLEMENT = ProposalKind(
    name="duty.settle",
    doc="Waive a duty, or make it less; what was paid too much goes back.",
    may_propose=Permission.DUTY_SETTLE,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=settled,
)


def refunded(duty_id: int, *, payment: str, actor: Actor, at: datetime) -> Duty:
    """Enter that the money went back.

    Args:
        payment: reference of the payment back.
    """
    require(actor, Permission.DUTY_SETTLE)
    payment = free_text(payment, "A payment's reference", 64, needed=True)
    with transaction.atomic():
        _, duty = _locked(duty_id)
        move(duty, DutyState.REFUNDED, DUTY_TRANSITIONS, _named(duty))
        duty.refunded_at, duty.refund_payment = at, payment
        duty.save()
        record(actor, "duty.refunded", str(duty), at=at)
    return duty


_DAYS_LEFT = timedelta(days=7)


def _locked(duty_id: int) -> tuple[Registration, Duty]:
    """The registration first, as everywhere."""
    key = Duty.objects.filter(pk=duty_id).values_list("registration", flat=True).first()
    if key is None:
        raise DutyError(f"There is no duty {duty_id}.", "Compare the number on the slip.")
    registration = Registration.objects.select_for_update().get(pk=key)
    return registration, Duty.objects.select_for_update().get(pk=duty_id)


def _in_force(registration: Registration, at: datetime) -> None:
    if registration.state == State.DUE.value:
        move(registration, State.IN_FORCE, TRANSITIONS, str(registration).replace(":", " "))
        registration.begins_at = at
        registration.save()


def _check_amount(duty: Duty, amount: Decimal) -> None:
    if not amount.is_finite() or not 0 <= amount <= duty.amount or amount != round(amount, 2):
        raise DutyError(
            f"The duty is {duty.amount} {duty.currency}: it can become 0 to that much.",
            "Give such an amount.",
        )
    if DutyState(duty.state) not in (DutyState.ASSESSED, DutyState.DISPUTED, DutyState.PAID):
        raise DutyError(f"The duty is {duty.state}.", "Only what is owed or paid can become less.")


def _named(duty: Duty) -> str:
    return str(duty).replace(":", " ")
