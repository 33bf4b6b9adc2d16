"""Appeals, what speaks for them, and what they taught."""

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from django.db import models

from ceir.registry.personal.fields import EncryptedField, KeyedField, Purpose
from ceir.registry.personal.retention import Retention
from ceir.registry.subscribers.models import Line


class State(Enum):
    """Where an appeal stands."""

    OPEN = "open"
    WAITING = "waiting"
    RECOMMENDED = "recommended"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.OPEN: frozenset({State.WAITING, State.RECOMMENDED, State.WITHDRAWN}),
    State.WAITING: frozenset({State.OPEN, State.WITHDRAWN}),
    State.RECOMMENDED: frozenset({State.OPEN, State.UPHELD, State.DISMISSED}),
    State.UPHELD: frozenset(),
    State.DISMISSED: frozenset(),
    State.WITHDRAWN: frozenset(),
}


class Theft(Enum):
    """Whether a condition rests on a report of theft or loss, and where that was made."""

    NONE = "none"
    HERE = "here"
    ABROAD = "abroad"


_KEPT_DAYS = 365
"""After the decision, in which it may be taken to a court."""

UNDECIDED = (State.OPEN.value, State.WAITING.value, State.RECOMMENDED.value)


class Appeal(models.Model):
    """Somebody says that a condition does not hold for his device, or must not count against it."""

    imei = models.BigIntegerField(help_text="14 digits as a number; of a malformed identity its key.")
    malformed = models.CharField(max_length=16, blank=True, help_text="Text of a malformed identity.")
    condition = models.CharField(max_length=64, help_text="Label of the condition.")
    run = models.BigIntegerField(help_text="Number of the run whose decision it is about.")
    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="appeals")
    further_lines = models.ManyToManyField(
        Line, related_name="+", help_text="Others of the same person that he uses in the device."
    )
    number_key = KeyedField(label="msisdn", null=True)
    why = EncryptedField(label="appeal.why", purpose=Purpose.APPEAL, kept_days=_KEPT_DAYS, null=True)
    theft = models.CharField(
        max_length=6,
        choices=[(t.value, t.value) for t in Theft],
        default=Theft.NONE.value,
        help_text="Whether the condition rests on a report of theft or loss.",
    )
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in State])
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    decide_by = models.DateTimeField(
        help_text="Undecided then, the device works again with who appeals, unless reported stolen here."
    )
    asked_at = models.DateTimeField(null=True, help_text="Since when evidence is waited for.")
    evidence_by = models.DateTimeField(null=True, help_text="Until when it is.")
    asked_for = EncryptedField(
        label="appeal.asked_for", purpose=Purpose.APPEAL, kept_days=_KEPT_DAYS, null=True
    )
    asks = models.PositiveSmallIntegerField(default=0)
    restored_at = models.DateTimeField(null=True, help_text="Since when the device works again.")
    restored_because = models.CharField(max_length=16, blank=True, help_text="`undecided` or `upheld`.")
    whole_identity = models.BooleanField(
        default=False, help_text="The condition counts against nobody with this identity while restored."
    )
    overdue_at = models.DateTimeField(null=True, help_text="Since when it should have been decided.")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    PERSONAL: ClassVar[Retention] = Retention(ended="decided_at", kind="appeal")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei", "condition", "line"),
                condition=models.Q(state__in=UNDECIDED),
                name="one_open_appeal",
            ),
            models.CheckConstraint(
                condition=models.Q(state=State.WAITING.value, evidence_by__isnull=False)
                | ~models.Q(state=State.WAITING.value),
                name="waiting_has_an_end",
            ),
        )
        indexes = (
            models.Index(fields=("decide_by",), condition=models.Q(state__in=UNDECIDED), name="appeal_due"),
            models.Index(fields=("imei", "condition"), name="appeal_of"),
        )

    def __str__(self) -> str:
        return f"appeal:{self.pk}"


class EvidenceKind(Enum):
    """What a document is."""

    INVOICE = "invoice"
    PHOTO = "photo"
    STATEMENT = "statement"
    POLICE_REPORT = "police_report"
    LABORATORY = "laboratory"
    MAKER = "maker"
    OTHER = "other"


class Evidence(models.Model):
    """A document that speaks for or against an appeal; it lies elsewhere, here is where and what it was."""

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="evidence")
    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in EvidenceKind])
    number_key = KeyedField(label="msisdn", null=True)
    reference = EncryptedField(
        label="evidence.reference", purpose=Purpose.APPEAL, kept_days=_KEPT_DAYS, null=True
    )
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of what lies there.")
    remark = EncryptedField(label="evidence.remark", purpose=Purpose.APPEAL, kept_days=_KEPT_DAYS, null=True)
    added_by = models.CharField(max_length=64)
    added_at = models.DateTimeField()

    PERSONAL: ClassVar[Retention] = Retention(ended="appeal__decided_at", kind="appeal", number="appeal_id")

    class Meta:
        verbose_name_plural = "evidence"
        constraints = (models.UniqueConstraint(fields=("appeal", "digest"), name="evidence_once"),)

    def __str__(self) -> str:
        return f"evidence:{self.pk}"


class Lesson(models.Model):
    """What an appeal that was decided says about a condition: a labelled case to measure and to tune with."""

    appeal = models.OneToOneField(Appeal, on_delete=models.PROTECT, related_name="lesson")
    imei = models.BigIntegerField()
    malformed = models.CharField(max_length=16, blank=True)
    condition = models.CharField(max_length=64)
    run = models.BigIntegerField()
    false_positive = models.BooleanField()
    learnt_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("condition", "learnt_at"), name="lesson_condition"),)

    def __str__(self) -> str:
        return f"{self.condition}: {'false' if self.false_positive else 'true'} positive"
