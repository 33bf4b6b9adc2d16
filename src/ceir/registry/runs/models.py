"""Runs that were taken over, what they decided, and how that changed."""

from enum import Enum
from typing import ClassVar

from django.db import models

from ceir.registry.personal.fields import EncryptedField, KeyedField, Purpose
from ceir.registry.personal.retention import Retention

CONTACT_KEPT_DAYS = 180
"""After a contact ended: as long as somebody may still ask why he was told, or was not."""

EXCEPTED_KEPT_DAYS = 100
"""After an exception ended: as long as an operator may ask what changed of its exceptions since then."""


class Outcome(Enum):
    """What was decided for an identity."""

    BLOCKED = "blocked"
    NOTIFIED = "notified"
    """Its block date is ahead."""
    TRACKED = "tracked"
    SPARED = "spared"
    """It would be blocked, but it is golden."""
    TRIAL = "trial"
    """Only conditions on trial match it; nothing happens to it."""


class Run(models.Model):
    """A run of the pipeline whose publication was taken over."""

    number = models.BigIntegerField(primary_key=True, help_text="The pipeline's number of it.")
    as_of = models.DateField(help_text="The day it decided for.")
    base = models.BigIntegerField(null=True, help_text="The run that its changes are against.")
    country = models.CharField(max_length=100)
    policy = models.CharField(max_length=200, help_text="Name and version of the policy.")
    policy_sha256 = models.CharField(max_length=64)
    manifest_sha256 = models.CharField(max_length=64, help_text="Of the manifest as it came.")
    whole = models.BooleanField(help_text="Taken from whole lists; else from changes.")
    files = models.JSONField(help_text="Every file that was verified, with rows and SHA-256.")
    keeps_lines = models.JSONField(
        default=list, db_default=[], help_text="Conditions that block identities of which some lines go on."
    )
    outright = models.JSONField(
        default=list,
        db_default=[],
        help_text="Operators that cannot hold exceptions: nothing excepted is blocked there.",
    )
    staged = models.JSONField(
        default=list,
        db_default=[],
        help_text="Conditions whose blocks the pipeline itself lets out step by step.",
    )
    counts = models.JSONField(help_text="Identities by outcome, changes by kind, people to tell.")
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=64)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return f"run {self.number} of {self.as_of}"


class Head(models.Model):
    """Where the register stands: one row, locked while a run is taken over, so that there is one order."""

    run = models.ForeignKey(Run, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.run_id)


class Grounds(models.Model):
    """Why something was decided: few different ones, shared by many identities."""

    digest = models.BinaryField(max_length=16, unique=True, help_text="Of both texts: they can be long.")
    reasons = models.TextField(help_text="Sentences of the policy, joined by |.")
    conditions = models.TextField(help_text="Labels of the policy's conditions, joined by |.")

    def __str__(self) -> str:
        return self.conditions


class Decision(models.Model):
    """What holds for an identity now. No row: nothing was ever found, or nothing any more.

    Rows are written by the merge of a run alone, in sets; therefore its references carry no constraint of
    the database, each of which would be looked up for a million rows.
    """

    imei = models.BigIntegerField(
        primary_key=True, help_text="14 digits as a number; negative: the key of a malformed identity."
    )
    text = models.CharField(max_length=16, help_text="A malformed identity as reported; else empty.")
    outcome = models.CharField(max_length=8, choices=[(o.value, o.value) for o in Outcome])
    since = models.DateField(help_text="First day a condition in force matched it.")
    block_on = models.DateField(null=True, help_text="Earliest day from which it is blocked.")
    grounds = models.ForeignKey(
        Grounds, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+",
        help_text="The run that last changed anything of it.",
    )  # fmt: skip
    outcome_run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+",
        help_text="The run in which it came to this outcome.",
    )  # fmt: skip

    class Meta:
        indexes = (models.Index(fields=("outcome", "outcome_run"), name="decision_outcome"),)

    def __str__(self) -> str:
        return f"{self.identity}: {self.outcome}"

    @property
    def identity(self) -> str:
        """As lists write it: 14 digits, or the malformed text."""
        return self.text or f"{self.imei:014}"


class Change(models.Model):
    """How a run changed what holds for an identity; never changed itself."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, db_constraint=False, db_index=False)
    imei = models.BigIntegerField()
    before = models.CharField(max_length=8, blank=True, help_text="Outcome before; empty: there was none.")
    after = models.CharField(max_length=8, blank=True, help_text="Outcome now; empty: nothing is left.")
    block_on = models.DateField(null=True, help_text="Block date now.")
    grounds = models.ForeignKey(
        Grounds, null=True, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        ordering = ("imei", "run")
        indexes = (
            models.Index(fields=("imei", "run"), name="change_identity"),
            models.Index(fields=("run", "after", "before"), name="change_run"),
        )

    def __str__(self) -> str:
        return f"{self.imei}: {self.before} → {self.after}"

    TOLD: ClassVar[dict[str, str]] = {
        Outcome.BLOCKED.value: "became blocked",
        Outcome.NOTIFIED.value: "became notified",
        Outcome.TRACKED.value: "became tracked",
        Outcome.SPARED.value: "is spared as golden",
        Outcome.TRIAL.value: "matches on trial only",
        "": "resolved",
    }

    @property
    def told(self) -> str:
        """The change in words."""
        if self.before == self.after:
            return "changed"
        words = self.TOLD[self.after]
        return f"unblocked, {words}" if self.before == Outcome.BLOCKED.value else words


class Contact(models.Model):
    """A subscriber seen with equipment that will be blocked, and an operator that is to tell them.

    Kept when it ends, so that whoever comes back is not told the same twice.
    """

    imei = models.BigIntegerField()
    imsi_key = KeyedField(label="imsi", null=True)
    msisdn_key = KeyedField(label="msisdn", null=True)
    imsi = EncryptedField(
        label="contact.imsi", purpose=Purpose.NOTICE, kept_days=CONTACT_KEPT_DAYS, null=True
    )
    msisdn = EncryptedField(
        label="contact.msisdn", purpose=Purpose.NOTICE, kept_days=CONTACT_KEPT_DAYS, null=True
    )
    operator = models.CharField(max_length=16, help_text="Its id in the policy.")
    block_on = models.DateField()
    amnesty = models.BooleanField()
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+",
        help_text="The run that last changed anything of it.",
    )  # fmt: skip
    ended_run = models.BigIntegerField(null=True, help_text="The run that no longer named it.")
    ended_at = models.DateTimeField(null=True)

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="contact")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei", "imsi_key", "msisdn_key", "operator"), name="contact_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("block_on",), condition=models.Q(ended_run__isnull=True), name="contact_due"
            ),
            models.Index(fields=("msisdn_key",), name="contact_number"),
        )

    def __str__(self) -> str:
        return f"contact {self.pk}"


class Excepted(models.Model):
    """A line that goes on with equipment whose identity is blocked, as a run says: the run decided it, or
    took it from a pairing. Kept for a while when it ends, for operators that ask what changed.

    Of the number only the keyed hash is kept: exceptions name subscriptions.
    """

    imei = models.BigIntegerField(
        help_text="14 digits as a number; negative: the key of a malformed identity."
    )
    text = models.CharField(max_length=16, help_text="A malformed identity as reported; else empty.")
    imsi_key = KeyedField(label="imsi", null=True)
    msisdn_key = KeyedField(label="msisdn", null=True)
    imsi = EncryptedField(
        label="excepted.imsi", purpose=Purpose.PAIRING, kept_days=EXCEPTED_KEPT_DAYS, null=True
    )
    paired = models.BooleanField(help_text="For a pairing that the run knew; else by the run's own decision.")
    operator = models.CharField(max_length=16, help_text="Its id in the policy.")
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+",
        help_text="The run from which on it goes on.",
    )  # fmt: skip
    ended_run = models.BigIntegerField(null=True, help_text="The run that no longer lets it.")
    ended_at = models.DateTimeField(null=True)

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="excepted")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imei", "imsi_key", "msisdn_key", "operator"), name="excepted_line_once"
            ),
        )
        indexes = (
            models.Index(fields=("operator", "ended_at"), name="excepted_operator"),
            models.Index(fields=("imsi_key",), name="excepted_imsi"),
            models.Index(fields=("msisdn_key",), name="excepted_number"),
        )

    def __str__(self) -> str:
        return f"excepted {self.pk}"
