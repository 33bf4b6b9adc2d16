"""Registrations, duties, transfers, repairs, and what people say is not theirs."""

from functools import partial

from django import forms

from ceir.registry.accounts.permissions import Permission
from ceir.registry.administration.declaring import Deed, Desk, done, in_state, reason, with_reason, words
from ceir.registry.registrations import duties, owning
from ceir.registry.registrations.models import (
    Duty,
    DutyState,
    Registration,
    Review,
    ReviewState,
    Submission,
    Transfer,
    WorkOrder,
)

_READ = (Permission.DEVICE_READ,)
_SETTLE = Permission.DUTY_SETTLE


def _amount(label: str = "Amount") -> forms.Field:
    return forms.DecimalField(label=label, min_value=0, max_digits=14, decimal_places=2)


DESKS = (
    Desk(
        Submission,
        sees=_READ,
        shown=("id", "kind", "organisation", "reference", "devices", "entered_at"),
        filters=("kind",),
        find=("=reference",),
    ),
    Desk(
        Registration,
        sees=_READ,
        shown=("id", "kind", "device", "organisation", "state", "begins_at", "ends_at"),
        filters=("state", "kind"),
        imei="device__identifiers__imei",
    ),
    Desk(
        Duty,
        sees=(*_READ, _SETTLE),
        shown=("registration", "amount", "currency", "state", "due_by", "paid_at"),
        filters=("state",),
        find=("=payment",),
        deeds=(
            Deed(
                "pay",
                "Enter a payment",
                _SETTLE,
                done(
                    lambda row, typed, actor, at: duties.pay(
                        row.pk,
                        amount=typed["amount"],
                        currency=typed["currency"],
                        payment=typed["payment"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "amount": _amount,
                    "currency": lambda: words("Currency", 3),
                    "payment": lambda: words("The payer's reference", 64),
                },
                in_state(DutyState.ASSESSED, DutyState.DISPUTED),
            ),
            Deed(
                "settle",
                "Ask for another amount",
                _SETTLE,
                done(
                    lambda row, typed, actor, at: duties.propose_settlement(
                        row.pk, typed["amount"], reason=typed["reason"], actor=actor, at=at
                    )
                ),
                {"amount": _amount, "reason": reason},
            ),
            Deed(
                "refunded",
                "Enter a refund",
                _SETTLE,
                done(
                    lambda row, typed, actor, at: duties.refunded(
                        row.pk, payment=typed["payment"], actor=actor, at=at
                    )
                ),
                {"payment": lambda: words("Reference of the refund", 64)},
                in_state(DutyState.REFUND_DUE),
            ),
        ),
    ),
    Desk(Transfer, sees=_READ, shown=("registration", "state", "offered_at", "expires_at", "ended_at")),
    Desk(
        WorkOrder,
        sees=_READ,
        shown=("shop", "reference", "device", "state", "signed_at", "done_at"),
        filters=("state",),
        find=("=reference",),
    ),
    Desk(
        Review,
        sees=(Permission.REVIEW_DECIDE, Permission.AUDIT_READ),
        shown=("id", "person", "imei", "state", "opened_at", "decided_at"),
        filters=("state",),
        imei="imei",
        deeds=tuple(
            Deed(
                name,
                label,
                Permission.REVIEW_DECIDE,
                with_reason(partial(owning.decide_review, detach=detach)),
                {"reason": reason},
                in_state(ReviewState.OPEN),
            )
            for name, label, detach in (
                ("detach", "It is not his", True),
                ("keep", "It stays with him", False),
            )
        ),
    ),
)
