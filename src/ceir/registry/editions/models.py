"""Editions of the lists that go out to an operator, and from which edition to which each entry stands."""

from django.db import models

from ceir.registry.runs.models import Excepted
from ceir.registry.subscribers.models import Sim


class Edition(models.Model):
    """The lists of an operator as they stood once; the numbers have no gaps."""

    operator = models.CharField(max_length=16, blank=True, help_text="Its code; empty: what holds at all.")
    sequence = models.PositiveIntegerField(help_text="1 for the first.")
    run = models.BigIntegerField(help_text="The run taken over last by then.")
    as_of = models.DateField(help_text="The day that it decided for.")
    made_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    blocked = models.PositiveIntegerField(help_text="Of them.")
    sha256 = models.CharField(max_length=64, help_text="Of the whole list as it is sent.")
    exceptions = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Edition of the operator's exceptions that is to be loaded before it; 0: none.",
    )
    basis = models.CharField(
        max_length=200, help_text="What it was made from: the same again changes nothing."
    )

    class Meta:
        ordering = ("operator", "-sequence")
        constraints = (models.UniqueConstraint(fields=("operator", "sequence"), name="edition_once"),)

    def __str__(self) -> str:
        return f"{self.operator or 'all'} {self.sequence}"


class ListEntry(models.Model):
    """What an identity stands on a list with, from one edition to another."""

    id = models.BigAutoField(primary_key=True)
    operator = models.CharField(max_length=16, blank=True)
    imei = models.BigIntegerField(help_text="As in decisions.")
    text = models.CharField(max_length=16, blank=True, help_text="A malformed identity as reported.")
    status = models.CharField(max_length=8, help_text="`blocked` or `tracked`.")
    since = models.DateField()
    block_on = models.DateField(null=True)
    reasons = models.TextField()
    first = models.PositiveIntegerField(help_text="First edition that has it.")
    ended = models.PositiveIntegerField(null=True, help_text="First edition that has it no more.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("operator", "imei"), condition=models.Q(ended=None), name="listed_once"
            ),
        )
        indexes = (
            models.Index(fields=("operator", "first"), name="entry_first"),
            models.Index(fields=("operator", "ended"), name="entry_ended"),
            models.Index(fields=("operator", "imei"), name="entry_identity"),
        )

    def __str__(self) -> str:
        return f"{self.imei}: {self.status}"


class ExceptionEdition(models.Model):
    """The exceptions of an operator as they stood once; the numbers have no gaps."""

    operator = models.CharField(max_length=32, help_text="Its code.")
    sequence = models.PositiveIntegerField(help_text="1 for the first.")
    made_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, help_text="Of the whole list as it is sent.")

    class Meta:
        ordering = ("operator", "-sequence")
        constraints = (
            models.UniqueConstraint(fields=("operator", "sequence"), name="exception_edition_once"),
        )

    def __str__(self) -> str:
        return f"{self.operator} {self.sequence}"


class ExceptionEntry(models.Model):
    """That equipment works with a line, from one edition to another; the number is kept with the SIM, or with
    what the run says, alone."""

    id = models.BigAutoField(primary_key=True)
    operator = models.CharField(max_length=32)
    imei = models.BigIntegerField(help_text="As in decisions.")
    sim = models.ForeignKey(
        Sim, null=True, on_delete=models.CASCADE, related_name="+", help_text="Paired in the register."
    )
    excepted = models.ForeignKey(
        Excepted, null=True, on_delete=models.CASCADE, related_name="+", help_text="Let go on by a run."
    )
    first = models.PositiveIntegerField(help_text="First edition that has it.")
    ended = models.PositiveIntegerField(null=True, help_text="First edition that has it no more.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("operator", "imei", "sim"), condition=models.Q(ended=None), name="excepted_once"
            ),
            models.UniqueConstraint(
                fields=("operator", "excepted"), condition=models.Q(ended=None), name="let_by_a_run_once"
            ),
            models.CheckConstraint(
                condition=models.Q(sim__isnull=True) ^ models.Q(excepted__isnull=True),
                name="exception_of_one_line",
            ),
        )
        indexes = (models.Index(fields=("operator", "first"), name="exception_first"),)

    def __str__(self) -> str:
        return f"{self.imei}: sim {self.sim_id}"
