"""Consignments and what is known of them; the lists themselves are sealed."""

from enum import Enum

from django.db import models

from ceir.registry.imports.reasons import Reason
from ceir.registry.imports.sealing import SealedModel
from ceir.registry.organisations.models import Organisation


class Licence(models.Model):
    """Permission of an importer to import, with the most IMEIs that he may list in a year."""

    importer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="licences")
    number = models.CharField(max_length=64, unique=True)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, help_text="Last day; none: open.")
    most_a_year = models.PositiveIntegerField(help_text="IMEIs on lists of the last 365 days.")
    granted_by = models.CharField(max_length=64)
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("number",)

    def __str__(self) -> str:
        return self.number


class State(Enum):
    """Where a consignment stands."""

    RECEIVING = "receiving"
    """Its list is being read."""
    UNREADABLE = "unreadable"
    """Its list was refused; another may be sent under the same number."""
    SUBMITTED = "submitted"
    CHECKED = "checked"
    RELEASED = "released"
    """By customs."""
    ON_SALE = "on_sale"
    REFUSED = "refused"
    """By customs."""
    WITHDRAWN = "withdrawn"
    """By the importer; its list is gone."""


LIVE = (State.SUBMITTED.value, State.CHECKED.value, State.RELEASED.value, State.ON_SALE.value)
"""States in which a list counts."""

RELEASED = (State.RELEASED.value, State.ON_SALE.value)


class Consignment(models.Model):
    """Goods that an importer brings in, with the list of their IMEIs."""

    id = models.AutoField(primary_key=True)  # 32 bits: it stands in every row of the sealed lists
    importer = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="consignments")
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="consignments")
    number = models.CharField(max_length=80)
    declared = models.PositiveIntegerField(help_text="IMEIs that the importer says are on the list.")
    port = models.CharField(max_length=100, help_text="Where it enters the country.")
    customs_reference = models.CharField(max_length=64, blank=True)
    held_from = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="held", help_text="Left out of its release."
    )
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in State], default=State.RECEIVING.value
    )
    attempt = models.PositiveIntegerField(default=1, help_text="Of sending its list.")
    receiving_since = models.DateTimeField()
    submitted_by = models.CharField(max_length=64)
    submitted_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of its file.")
    octets = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0, help_text="IMEIs on the list.")
    rejected = models.JSONField(default=dict, help_text="Rows that were not taken, by reason.")
    round = models.PositiveIntegerField(default=0, help_text="Of checks, the last one begun.")
    checked_round = models.PositiveIntegerField(default=0, help_text="The last one that came to its end.")
    checked_at = models.DateTimeField(null=True)
    found = models.JSONField(default=dict, help_text="IMEIs that checks found something of, by reason.")
    not_made = models.JSONField(
        default=list, help_text="Checks for which nothing to check against was there."
    )
    decided_by = models.CharField(max_length=64, blank=True)
    released_at = models.DateTimeField(null=True)
    on_sale_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was refused or withdrawn.")

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=("state",), name="consignment_state"),)
        constraints = (
            models.UniqueConstraint(fields=("importer", "number"), name="consignment_number"),
            models.UniqueConstraint(
                fields=("importer", "sha256"),
                condition=models.Q(state__in=LIVE) & ~models.Q(sha256=""),
                name="one_consignment_a_file",
            ),
        )

    def __str__(self) -> str:
        return self.number


class ConsignedTac(models.Model):
    """How many IMEIs of a TAC a consignment lists; says where in the sealed list its rows lie."""

    consignment = models.ForeignKey(Consignment, on_delete=models.PROTECT, related_name="tacs")
    tac = models.PositiveIntegerField(help_text="As a number.")
    rows = models.PositiveIntegerField()
    first_line = models.PositiveIntegerField()

    class Meta:
        ordering = ("tac",)
        constraints = (models.UniqueConstraint(fields=("consignment", "tac"), name="tac_of_a_consignment"),)

    def __str__(self) -> str:
        return f"{self.tac:08}: {self.rows}"


class SealedImei(SealedModel):
    """A row of a list: reached by `sealed_lists` only.

    The key is the only index: with the IMEI first it answers for one IMEI, and with the TACs of a consignment
    known it finds a consignment's rows. A second index would cost as much again.
    """

    pk = models.CompositePrimaryKey("imei", "consignment_id")
    imei = models.BigIntegerField()
    consignment = models.ForeignKey(
        Consignment, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    line = models.IntegerField()

    class Meta(SealedModel.Meta):
        pass

    def __str__(self) -> str:
        return "[sealed]"


class RejectedRow(SealedModel):
    """A row that was not taken; may name an IMEI of the list (`twice`), so it is sealed too."""

    consignment = models.ForeignKey(
        Consignment, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    line = models.IntegerField()
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason])
    text = models.CharField(max_length=40, help_text="What stood there, its beginning.")

    class Meta(SealedModel.Meta):
        pass

    def __str__(self) -> str:
        return "[sealed]"


class Finding(SealedModel):
    """What a check found of an IMEI or a TAC of a consignment."""

    consignment = models.ForeignKey(
        Consignment, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    round = models.IntegerField(help_text="Of checks.")
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason])
    subject = models.BigIntegerField(help_text="The IMEI, or the TAC, as a number.")
    other = models.IntegerField(default=0, help_text="The other consignment; 0: none.")
    line = models.IntegerField()
    rows = models.IntegerField(default=1)

    class Meta(SealedModel.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=("consignment", "round", "reason", "subject", "other"), name="finding_once"
            ),
        )

    def __str__(self) -> str:
        return "[sealed]"


class AlarmState(Enum):
    """What became of an alarm."""

    OPEN = "open"
    EXPLAINED = "explained"
    CONFIRMED = "confirmed"


class Alarm(models.Model):
    """A network saw an IMEI that was on a list and not released."""

    consignment = models.ForeignKey(Consignment, on_delete=models.PROTECT, related_name="alarms")
    imei = models.BigIntegerField()
    seen_on = models.DateField(help_text="First day.")
    raised_at = models.DateTimeField()
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in AlarmState], default=AlarmState.OPEN.value
    )
    conclusion = models.CharField(max_length=500, blank=True)
    concluded_by = models.CharField(max_length=64, blank=True)
    concluded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-raised_at", "-pk")
        indexes = (models.Index(fields=("state",), name="alarm_state"),)
        constraints = (models.UniqueConstraint(fields=("consignment", "imei"), name="alarm_once"),)

    def __str__(self) -> str:
        return f"{self.consignment_id}: seen {self.seen_on}"
