"""What keeps personal data from being shredded."""

from django.db import models


class LegalHold(models.Model):
    """A court or an investigation needs what is kept of something; ended, never deleted."""

    subject = models.CharField(max_length=64, help_text="What is held: `case:12`.")
    reason = models.CharField(max_length=300, help_text="By whom, and on which legal basis.")
    held_by = models.CharField(max_length=64)
    held_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="None: it is in force.")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("subject",), condition=models.Q(ended_at__isnull=True), name="one_hold_of_a_subject"
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}"
