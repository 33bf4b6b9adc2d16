"""When each job was done last."""

from enum import Enum

from django.db import models


class Outcome(Enum):
    """What became of a run of a job."""

    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class LastRun(models.Model):
    """The last run of one job. Whoever claims the job holds this row locked while he does so."""

    name = models.CharField(max_length=64, primary_key=True, help_text="As the job is called.")
    known_since = models.DateTimeField(help_text="When a worker first saw that there is such a job.")
    worker = models.BigIntegerField(null=True, help_text="Who runs it, or ran it last.")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Empty while it runs.")
    outcome = models.CharField(max_length=16, blank=True, choices=[(o.value, o.value) for o in Outcome])
    told = models.CharField(max_length=500, blank=True, help_text="What it told, or which error ended it.")
    done_at = models.DateTimeField(null=True, help_text="When it last ended well.")
    failures = models.PositiveIntegerField(default=0, help_text="Runs in a row that did not end well.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"job:{self.name}"
