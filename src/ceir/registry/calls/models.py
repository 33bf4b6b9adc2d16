"""What is kept of calls: first answers for a day, and how much of its allowance a caller used."""

from django.db import models

from ceir.registry.accounts.models import Client


class Remembered(models.Model):
    """A call that bore an idempotency key, and the first answer to it."""

    caller = models.CharField(max_length=64, help_text="`client:3`.")
    key = models.CharField(max_length=255, help_text="As the caller chose it.")
    fingerprint = models.BinaryField(max_length=16, help_text="Keyed hash of what was asked.")
    begun_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, help_text="None: not answered yet.")
    answer = models.BinaryField(null=True, help_text="Headers and body, encrypted: it may hold a secret.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("caller", "key"), name="remembered_once"),)
        indexes = (models.Index(fields=("begun_at",), name="remembered_begun"),)

    def __str__(self) -> str:
        return f"{self.caller}: {self.status}"


class Allowance(models.Model):
    """How many calls a caller took in the current minute, leases of other processes included."""

    caller = models.CharField(max_length=100, primary_key=True)
    minute = models.BigIntegerField(help_text="Since 1970.")
    used = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.caller}: {self.used}"


class ClientRate(models.Model):
    """That a client has another allowance than the register's."""

    client = models.OneToOneField(Client, on_delete=models.CASCADE, primary_key=True, related_name="rate")
    per_minute = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(per_minute__gte=1), name="client_rate_is_positive"),
        )

    def __str__(self) -> str:
        return f"{self.client_id}: {self.per_minute} a minute"
