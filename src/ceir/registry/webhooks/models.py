"""Who is told of what, and what was sent."""

from enum import Enum
from uuid import uuid4

from django.db import models

from ceir.registry.organisations.models import Organisation


class Webhook(models.Model):
    """An address that is told of some events."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="webhooks")
    role = models.CharField(max_length=16, help_text="Of whoever registered it: what it may be told.")
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    url = models.CharField(max_length=500)
    secret = models.BinaryField(help_text="Encrypted: messages are signed with it.")
    events = models.JSONField(help_text="Beginnings of events' names.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("made_at",)

    def __str__(self) -> str:
        return f"webhook:{self.pk}"


class DeliveryState(Enum):
    """Where a message stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """It was tried as often as it is; somebody has to look."""


class Delivery(models.Model):
    """A message to one address; sent again with the same id until it is taken."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    sequence = models.BigIntegerField(help_text="Of the entry of the record that it tells of; 0: a test.")
    event = models.CharField(max_length=64)
    body = models.TextField()
    made_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="None: it is not tried any more.")
    tries = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in DeliveryState],
        default=DeliveryState.WAITING.value,
    )
    answer = models.CharField(max_length=200, blank=True, help_text="What the last try came to.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-made_at", "-pk")
        verbose_name_plural = "deliveries"
        constraints = (
            models.UniqueConstraint(
                fields=("webhook", "sequence"), condition=models.Q(sequence__gt=0), name="told_once"
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(state="waiting"), name="delivery_due"),
        )

    def __str__(self) -> str:
        return f"delivery:{self.pk}"


class Told(models.Model):
    """How far the record was read: one row."""

    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.sequence)
