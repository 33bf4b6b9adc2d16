"""Questions that take long, and their answers part by part."""

from enum import Enum
from uuid import uuid4

from django.db import models


class State(Enum):
    """Where a question stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Question(models.Model):
    """Many identifiers that somebody asks about at once."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    asked_by = models.CharField(max_length=64)
    role = models.CharField(max_length=16)
    organisation = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    asked = models.BinaryField(help_text="What was asked for: lines, compressed.")
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0, help_text="Answered so far.")
    refused = models.PositiveIntegerField(default=0, help_text="Of them no identities.")
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in State], default=State.QUEUED.value
    )
    why = models.CharField(max_length=200, blank=True, help_text="It failed: for what reason.")
    ended_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="When question and answers are removed.")

    class Meta:
        ordering = ("-asked_at", "-pk")
        indexes = (
            models.Index(fields=("expires_at",), name="bulk_expires"),
            models.Index(fields=("organisation", "-asked_at"), name="bulk_organisation"),
        )

    def __str__(self) -> str:
        return f"bulk:{self.pk}"


class Part(models.Model):
    """The answers to some identifiers that follow each other."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField(help_text="0 for the first.")
    answers = models.BinaryField(help_text="A JSON value in each line, compressed.")

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("question", "number"), name="bulk_part_once"),)

    def __str__(self) -> str:
        return f"{self.question_id}: {self.number}"
