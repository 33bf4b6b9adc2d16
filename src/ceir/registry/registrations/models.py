"""Registrations, what is owed for them, and how devices change hands and boards."""

from collections.abc import Mapping
from enum import Enum

from django.db import models

from ceir.registry.devices.models import Device
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import KeyedField
from ceir.registry.subscribers.models import Person


class Kind(Enum):
    """On what ground a device is registered."""

    PERSON = "person"
    IMPORT = "import"
    TRAVELLER = "traveller"
    FLEET = "fleet"
    DIPLOMATIC = "diplomatic"
    TEST = "test"


class State(Enum):
    """Where a registration stands."""

    PROPOSED = "proposed"
    DUE = "due"
    IN_FORCE = "in_force"
    ENDED = "ended"
    EXPIRED = "expired"
    REFUSED = "refused"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.DUE, State.IN_FORCE, State.REFUSED}),
    State.DUE: frozenset({State.IN_FORCE, State.ENDED}),
    State.IN_FORCE: frozenset({State.ENDED, State.EXPIRED}),
    State.ENDED: frozenset(),
    State.EXPIRED: frozenset(),
    State.REFUSED: frozenset(),
}

LIVING = (State.PROPOSED.value, State.DUE.value, State.IN_FORCE.value)
"""A device has one registration in one of these states."""


class Submission(models.Model):
    """What somebody asked for at once: one device of a person, or a hundred thousand of an importer."""

    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in Kind])
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, null=True, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=100, blank=True, help_text="A consignment, a mission, a note.")
    days = models.PositiveIntegerField(null=True, help_text="For how long; none: until it is ended.")
    sms_exempt = models.BooleanField(default=False, help_text="Nobody reads messages on these devices.")
    devices = models.PositiveIntegerField(default=0)
    entered_by = models.CharField(max_length=64)
    entered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"submission:{self.pk}"


class Registration(models.Model):
    """That a device is somebody's, and may be used in the country."""

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="registrations")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="registrations")
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in Kind])
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="registrations")
    organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="registrations"
    )
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in State])
    follows = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="+", help_text="Whose place it took."
    )
    entered_at = models.DateTimeField()
    begins_at = models.DateTimeField(null=True, help_text="Since when it is in force.")
    ends_at = models.DateTimeField(null=True, help_text="When it ends by itself.")
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=64, blank=True)
    sms_exempt = models.BooleanField(default=False)
    disowned_at = models.DateTimeField(
        null=True, help_text="Since when it is nobody's: who had it said it was not his."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("device",), condition=models.Q(state__in=LIVING), name="one_registration_a_device"
            ),
            models.CheckConstraint(
                condition=models.Q(person=None) | models.Q(organisation=None), name="one_holder"
            ),
            models.CheckConstraint(
                condition=~models.Q(state=State.IN_FORCE.value) | models.Q(begins_at__isnull=False),
                name="in_force_since",
            ),
        )
        indexes = (
            models.Index(fields=("ends_at",), condition=models.Q(state="in_force"), name="registration_ends"),
        )

    def __str__(self) -> str:
        return f"registration:{self.pk}"


class DutyState(Enum):
    """Where a duty stands."""

    ASSESSED = "assessed"
    PAID = "paid"
    DISPUTED = "disputed"
    WAIVED = "waived"
    LAPSED = "lapsed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


DUTY_TRANSITIONS: Mapping[DutyState, frozenset[DutyState]] = {
    DutyState.ASSESSED: frozenset({DutyState.PAID, DutyState.DISPUTED, DutyState.WAIVED, DutyState.LAPSED}),
    DutyState.DISPUTED: frozenset(
        {DutyState.ASSESSED, DutyState.PAID, DutyState.WAIVED, DutyState.REFUND_DUE}
    ),
    DutyState.PAID: frozenset({DutyState.DISPUTED, DutyState.REFUND_DUE}),
    DutyState.REFUND_DUE: frozenset({DutyState.REFUNDED}),
    DutyState.WAIVED: frozenset(),
    DutyState.LAPSED: frozenset(),
    DutyState.REFUNDED: frozenset(),
}


class Duty(models.Model):
    """What is owed for a registration, as the country's own calculation said."""

    registration = models.OneToOneField(Registration, on_delete=models.PROTECT, related_name="duty")
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    ground = models.CharField(max_length=200, help_text="By which rule the amount came about.")
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in DutyState])
    assessed_at = models.DateTimeField()
    due_by = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    payment = models.CharField(max_length=64, null=True, unique=True, help_text="The payer's reference.")
    disputed_at = models.DateTimeField(null=True)
    dispute = models.CharField(max_length=1000, blank=True)
    refund = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    refunded_at = models.DateTimeField(null=True)
    refund_payment = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "duties"
        constraints = (
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="duty_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(refund=None) | models.Q(refund__lte=models.F("amount")),
                name="refund_within_duty",
            ),
        )
        indexes = (models.Index(fields=("due_by",), condition=models.Q(state="assessed"), name="duty_due"),)

    def __str__(self) -> str:
        return f"duty:{self.pk}"


class TransferState(Enum):
    """Where a transfer stands."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SPENT = "spent"


TRANSFER_TRANSITIONS: Mapping[TransferState, frozenset[TransferState]] = {
    TransferState.OFFERED: frozenset(
        {TransferState.ACCEPTED, TransferState.WITHDRAWN, TransferState.EXPIRED, TransferState.SPENT}
    ),
    TransferState.ACCEPTED: frozenset(),
    TransferState.WITHDRAWN: frozenset(),
    TransferState.EXPIRED: frozenset(),
    TransferState.SPENT: frozenset(),
}


class Transfer(models.Model):
    """A device goes from one holder to another: who gives says so, who takes says so and knows the code."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="transfers")
    became = models.ForeignKey(Registration, null=True, on_delete=models.PROTECT, related_name="+")
    code = KeyedField(label="transfer code")
    tries_left = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in TransferState])
    offered_by = models.CharField(max_length=64)
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("registration",),
                condition=models.Q(state=TransferState.OFFERED.value),
                name="one_offer_a_registration",
            ),
        )

    def __str__(self) -> str:
        return f"transfer:{self.pk}"


class WorkState(Enum):
    """Where a work order stands."""

    PROPOSED = "proposed"
    DONE = "done"
    REFUSED = "refused"


WORK_TRANSITIONS: Mapping[WorkState, frozenset[WorkState]] = {
    WorkState.PROPOSED: frozenset({WorkState.DONE, WorkState.REFUSED}),
    WorkState.DONE: frozenset(),
    WorkState.REFUSED: frozenset(),
}


class WorkOrder(models.Model):
    """A repair that changed what identifies a device, signed by the shop that did it."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="work_orders")
    shop = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=64, help_text="The shop's own number of the order.")
    what = models.CharField(max_length=500, help_text="What was done, and why.")
    retired = models.JSONField(help_text="IMEIs taken out.")
    bound = models.JSONField(help_text="IMEIs, EID and serial number put in.")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of what was signed.")
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in WorkState])
    signed_by = models.CharField(max_length=64)
    signed_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("shop", "reference"), name="one_order_a_reference"),
            models.UniqueConstraint(
                fields=("device",),
                condition=models.Q(state=WorkState.PROPOSED.value),
                name="one_open_work_order",
            ),
        )

    def __str__(self) -> str:
        return f"work_order:{self.pk}"


class ReviewState(Enum):
    """Where a review stands."""

    OPEN = "open"
    DETACHED = "detached"
    KEPT = "kept"


REVIEW_TRANSITIONS: Mapping[ReviewState, frozenset[ReviewState]] = {
    ReviewState.OPEN: frozenset({ReviewState.DETACHED, ReviewState.KEPT}),
    ReviewState.DETACHED: frozenset(),
    ReviewState.KEPT: frozenset(),
}


class Review(models.Model):
    """Somebody says that a device which stands with his number is not his; somebody looks into it."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="reviews")
    registration = models.ForeignKey(
        Registration,
        null=True,
        on_delete=models.PROTECT,
        related_name="reviews",
        help_text="None: the device was only seen with the number.",
    )
    imei = models.BigIntegerField(help_text="14 digits as a number.")
    remark = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in ReviewState])
    opened_at = models.DateTimeField()
    decided_by = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "imei"),
                condition=models.Q(state=ReviewState.OPEN.value),
                name="one_open_review",
            ),
        )

    def __str__(self) -> str:
        return f"review:{self.pk}"
