"""The record of writes and of reads of personal data: append-only, each entry bound to the one before."""

from django.db import models


class Entry(models.Model):
    """Something that was done or read. The database itself refuses to change or delete one (see migrations).

    Why texts and numbers instead of foreign keys: an entry outlives what it speaks of.
    """

    sequence = models.BigIntegerField(primary_key=True, help_text="1 for the first; no gaps.")
    at = models.DateTimeField(help_text="When.")
    actor = models.CharField(max_length=64, help_text="Who: `account:7`, `client:3`, `system`.")
    role = models.CharField(max_length=32, help_text="In which role.")
    organisation = models.BigIntegerField(null=True, help_text="Of which organisation; none: the system.")
    action = models.CharField(max_length=64, help_text="What: `case.verified`, `personal.read`.")
    subject = models.CharField(max_length=64, help_text="On what: `case:12`.")
    basis = models.CharField(max_length=300, help_text="Why, or on which legal basis.")
    detail = models.TextField(help_text="More of it as canonical JSON; never personal data in clear.")
    previous = models.BinaryField(max_length=32, help_text="Digest of the entry before.")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 over all of the above.")

    class Meta:
        ordering = ("sequence",)
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=("subject",), name="audit_subject"),
            models.Index(fields=("actor", "at"), name="audit_actor"),
        )

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"


class Head(models.Model):
    """Where the chain ends: one row, locked while an entry is appended, so that the order is one."""

    sequence = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return str(self.sequence)
