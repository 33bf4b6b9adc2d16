"""What waits for a second person."""

from enum import Enum

from django.db import models


class State(Enum):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Proposal(models.Model):
    """One change that makes a device blocked or permitted, asked for and not yet made."""

    kind = models.CharField(max_length=64, help_text="Name of its kind, found by listing.")
    subject = models.CharField(max_length=64, help_text="What it is about: `case:12`.")
    payload = models.JSONField(default=dict, help_text="What its kind needs to carry it out.")
    reason = models.CharField(max_length=500)
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in State], default=State.OPEN.value
    )
    proposed_by = models.CharField(max_length=64)
    proposed_role = models.CharField(max_length=32)
    proposed_organisation = models.BigIntegerField(null=True)
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_by = models.CharField(max_length=64, blank=True)
    decided_role = models.CharField(max_length=32, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-proposed_at",)
        indexes = (models.Index(fields=("state", "kind"), name="proposal_open"),)
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "subject"),
                condition=models.Q(state=State.OPEN.value),
                name="one_open_proposal",
            ),
        )

    @property
    def subject_key(self) -> int:
        """Primary key of what it is about: 12 of `case:12`."""
        return int(self.subject.partition(":")[2])

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}: {self.state}"
