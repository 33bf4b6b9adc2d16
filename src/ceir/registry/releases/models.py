"""Releases of newly blocked devices, what each let out, and emergency overrides."""

from enum import Enum

from django.db import models

from ceir.registry.runs.models import Run

MILLION = 1_000_000
"""Buckets that devices are spread over: a share is a number of them."""


class ReleaseState(Enum):
    """Where a release stands."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"


TRANSITIONS: dict[ReleaseState, frozenset[ReleaseState]] = {
    ReleaseState.PLANNED: frozenset({ReleaseState.RUNNING, ReleaseState.STOPPED}),
    ReleaseState.RUNNING: frozenset({ReleaseState.PAUSED, ReleaseState.DONE, ReleaseState.STOPPED}),
    ReleaseState.PAUSED: frozenset({ReleaseState.RUNNING, ReleaseState.STOPPED}),
    ReleaseState.DONE: frozenset(),
    ReleaseState.STOPPED: frozenset(),
}
"""From which state which others may follow."""

LIVE = (ReleaseState.PLANNED.value, ReleaseState.RUNNING.value, ReleaseState.PAUSED.value)


class Release(models.Model):
    """Some newly blocked devices, whose block goes out to networks little by little."""

    run = models.ForeignKey(
        Run,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Devices that became blocked in it or before.",
    )
    conditions = models.JSONField(help_text="Only devices that one of these matches; none: all.")
    stages = models.JSONField(help_text="Each with buckets, days and operators; see `planning`.")
    by_operator = models.BooleanField(help_text="A stage is not one of all operators.")
    daily_cap = models.PositiveIntegerField(null=True, help_text="Devices within 24 hours; none: all.")
    budgets = models.JSONField(help_text="By signal, how many for 1,000 released devices are borne.")
    tolerated = models.PositiveIntegerField(help_text="So many signals are borne however few were released.")
    alone_share = models.PositiveIntegerField(help_text="Buckets that one person alone may release.")
    salt = models.BinaryField(max_length=32, help_text="Of the hash that spreads devices over buckets.")
    state = models.CharField(
        max_length=8, choices=[(s.value, s.value) for s in ReleaseState], default=ReleaseState.PLANNED.value
    )
    stage = models.PositiveSmallIntegerField(default=0)
    stage_out_at = models.DateTimeField(null=True, help_text="When the last device of the stage went out.")
    reason = models.CharField(max_length=500)
    planned_by = models.CharField(max_length=64)
    planned_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    started_alone = models.BooleanField(default=False, help_text="By one person, within what one may.")
    ended_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True, help_text="Since then nothing that it released is out.")

    class Meta:
        ordering = ("-planned_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=[s.value for s in ReleaseState]), name="release_state"
            ),
        )

    def __str__(self) -> str:
        return f"release {self.pk}: {self.state}"


class Member(models.Model):
    """A device of a release."""

    id = models.BigAutoField(primary_key=True)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    imei = models.BigIntegerField()
    blocked_run = models.BigIntegerField(
        help_text="In which it became blocked: blocked anew later, it takes another release."
    )
    bucket = models.PositiveIntegerField(help_text="0 to 999,999, always the same within the release.")
    stage = models.PositiveSmallIntegerField(null=True, help_text="That it went out with; none: held back.")
    everywhere = models.BooleanField(default=False, help_text="That stage is one of all operators.")
    moved_at = models.DateTimeField(null=True, help_text="When it went out with that stage.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("release", "imei"), name="member_once"),)
        indexes = (
            models.Index(fields=("imei",), name="member_imei"),
            models.Index(fields=("release", "bucket"), name="member_bucket"),
            models.Index(fields=("release", "moved_at"), name="member_moved"),
        )

    def __str__(self) -> str:
        return f"{self.release_id}: {self.imei}"


class Hold(models.Model):
    """A device that no release lets out for a while: of its block nobody could be told."""

    imei = models.BigIntegerField()
    block_on = models.DateField(help_text="When its block would have come.")
    until = models.DateField(help_text="First day on which it may come all the same.")
    because = models.CharField(max_length=16)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei",), condition=models.Q(ended_at__isnull=True), name="one_hold_a_device"
            ),
            models.UniqueConstraint(fields=("imei", "block_on"), name="one_hold_a_block"),
        )

    def __str__(self) -> str:
        return f"{self.imei}: held until {self.until}"


class Step(models.Model):
    """What was done with a release; never changed."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=64)
    what = models.CharField(max_length=16)
    devices = models.PositiveIntegerField(default=0, help_text="That went out with it, or were taken back.")
    because = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.what} {self.devices}"


class OverrideAnswer(Enum):
    """What networks are told of every device while an override is in force."""

    PERMITTED = "permitted"
    TRACKED = "tracked"


class Override(models.Model):
    """While it is in force nothing is blocked, whatever was decided: for an emergency."""

    operator = models.CharField(max_length=16, blank=True, help_text="At this operator only; empty: at all.")
    answer = models.CharField(max_length=16, choices=[(a.value, a.value) for a in OverrideAnswer])
    reason = models.CharField(max_length=500)
    begun_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=64)
    decided_by = models.CharField(max_length=64)
    until = models.DateTimeField(help_text="It ends by itself.")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-begun_at",)

    def __str__(self) -> str:
        return f"{self.answer} until {self.until}"
