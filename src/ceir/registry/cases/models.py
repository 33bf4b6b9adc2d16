"""Cases of stolen and lost devices, their identities, and where the devices were seen since."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.cases.states import ENDED, Loss, Mode, Reporter, State
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import Access, EncryptedField, KeyedField, Purpose, Sealed
from ceir.registry.personal.reading import reading
from ceir.registry.personal.retention import Retention

NOBODY = 0
"""An organisation's key that no organisation has: what belongs to it is nobody's own."""

_ENDED = [state.value for state in State if state in ENDED]


class NoProvisionalBlock(Enum):
    """Why a report did not block its devices at once although the policy has such blocks."""

    REPORTER = "reporter"
    """The policy does not take this kind of reporter's word."""
    NUMBER_NOT_PROVEN = "number_not_proven"
    """A consumer did not show that the device was used with his number."""
    BLOCKED_BEFORE = "blocked_before"
    """A device was blocked provisionally lately, and nobody verified it."""
    QUOTA = "quota"
    """The reporter blocked as many devices provisionally within a day as one may."""


class Case(models.Model):
    """A device that its owner lost, with what is done about it.

    Why there is no deletion: what made a device blocked stays known; of people only what `PERSONAL` allows.
    """

    loss = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Loss])
    mode = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Mode])
    state = models.CharField(
        max_length=12, choices=[(v.value, v.value) for v in State], default=State.REPORTED.value
    )
    reporter = models.CharField(max_length=8, choices=[(v.value, v.value) for v in Reporter])
    reported_by = models.CharField(max_length=64, help_text="Who entered it: `account:7`.")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="cases_reported")
    reported_at = models.DateTimeField()
    happened_at = models.DateTimeField(help_text="When the device was lost, as far as the owner knows.")
    place = models.CharField(max_length=200, help_text="Where: a town or a district, never an address.")
    police = models.ForeignKey(
        Organisation,
        on_delete=models.PROTECT,
        null=True,
        related_name="cases_of_station",
        help_text="The station that follows traces.",
    )
    police_reference = models.CharField(max_length=100, blank=True)

    owner_name = EncryptedField(null=True, label="case.owner_name", purpose=Purpose.CASE, kept_days=365)
    msisdn = EncryptedField(null=True, label="case.msisdn", purpose=Purpose.CASE, kept_days=365)
    msisdn_key = KeyedField(null=True, label="msisdn")
    contact = EncryptedField(null=True, label="case.contact", purpose=Purpose.CASE, kept_days=365)
    contact_key = KeyedField(null=True, label="msisdn")
    description = EncryptedField(null=True, label="case.description", purpose=Purpose.CASE, kept_days=365)

    number_proven_at = models.DateTimeField(null=True, help_text="When the owner read a code sent to it.")
    verified_by = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True)
    provisional_from = models.DateTimeField(null=True, help_text="None: never blocked provisionally.")
    provisional_until = models.DateTimeField(null=True, help_text="None: not blocked provisionally now.")
    no_provisional_block = models.CharField(
        max_length=20, blank=True, choices=[(v.value, v.value) for v in NoProvisionalBlock]
    )
    unblocking_tried_at = models.DateTimeField(
        null=True, help_text="When every way out of a block was gone before blocking."
    )
    block_proposal = models.BigIntegerField(null=True, help_text="The proposal by which two people blocked.")
    blocked_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="First sighting after the block.")
    ended_at = models.DateTimeField(null=True, help_text="Restored, withdrawn or rejected.")
    changed_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True, help_text="Of the last change.")

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="case", documents_kept_days=365)

    class Meta:
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("state", "mode"), name="case_state"),
            models.Index(fields=("reported_by", "reported_at"), name="case_reporter"),
            models.Index(fields=("ended_at",), name="case_ended"),
            models.Index(fields=("msisdn_key",), name="case_msisdn"),
            models.Index(fields=("contact_key",), name="case_contact"),
            models.Index(
                fields=("provisional_until",),
                name="case_provisional",
                condition=Q(provisional_until__isnull=False),
            ),
        )
        constraints = (
            models.CheckConstraint(condition=Q(state__in=[s.value for s in State]), name="case_state_known"),
            models.CheckConstraint(condition=Q(mode__in=[m.value for m in Mode]), name="case_mode_known"),
            models.CheckConstraint(
                condition=Q(mode=Mode.BLOCK.value)
                | (~Q(state=State.BLOCKED.value) & Q(provisional_until__isnull=True)),
                name="case_recovery_never_blocks",
            ),
            models.CheckConstraint(
                condition=Q(mode=Mode.RECOVERY.value)
                | ~Q(state__in=[State.BLOCKED.value, State.SEEN.value])
                | (Q(block_proposal__isnull=False) & Q(unblocking_tried_at__isnull=False)),
                name="case_blocked_by_two_after_trying_to_unblock",
            ),
            models.CheckConstraint(
                condition=Q(provisional_until__isnull=True)
                | (
                    Q(unblocking_tried_at__isnull=False)
                    & Q(provisional_from__isnull=False)
                    & Q(state__in=[State.REPORTED.value, State.VERIFIED.value])
                ),
                name="case_provisional_is_undecided",
            ),
            models.CheckConstraint(
                condition=Q(state__in=_ENDED, ended_at__isnull=False)
                | (~Q(state__in=_ENDED) & Q(ended_at__isnull=True)),
                name="case_end_is_dated",
            ),
        )

    def __str__(self) -> str:
        return f"case:{self.pk}"


class CaseIdentity(models.Model):
    """One IMEI of the device of a case; never added to or changed once somebody verified the case."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="identities")
    imei = models.BigIntegerField(help_text="14 digits as a number.")
    proven = models.BooleanField(help_text="Chosen among the devices seen with a number that was proven.")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("imei", "case"), name="case_identity"),
            models.CheckConstraint(condition=Q(imei__gte=0, imei__lt=10**14), name="case_imei"),
        )

    def __str__(self) -> str:
        return f"case:{self.case_id}"


class Offer(models.Model):
    """A device that was seen with the number of a case: shown without its whole IMEI, to be chosen."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="offers")
    number = models.PositiveSmallIntegerField(help_text="What the owner chooses it by.")
    imei = models.BigIntegerField()
    make = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (models.UniqueConstraint(fields=("case", "number"), name="case_offer"),)

    def __str__(self) -> str:
        return f"{self.make} {self.model}"


@dataclass(frozen=True)
class Whereabouts:
    """Who used the device of a case, and where; empty: not known."""

    imsi: str
    msisdn: str
    cell: str

    def __repr__(self) -> str:
        return "Whereabouts(...)"


class Trace(models.Model):
    """That the device of a case was used by a subscriber since the block; for the case's police station.

    Grain: a case, an IMEI, an IMSI and an MSISDN. Sightings told twice or out of order change nothing.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="traces")
    imei = models.BigIntegerField()
    operator = models.CharField(max_length=32, help_text="Of the last sighting.")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    imsi = EncryptedField(null=True, label="trace.imsi", purpose=Purpose.CASE, kept_days=180)
    imsi_key = KeyedField(null=True, label="imsi")
    msisdn = EncryptedField(null=True, label="trace.msisdn", purpose=Purpose.CASE, kept_days=180)
    msisdn_key = KeyedField(null=True, label="msisdn")
    cell = EncryptedField(null=True, label="trace.cell", purpose=Purpose.CASE, kept_days=180)
    opened_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True, help_text="When the user was asked to come forward.")

    # Whoever is traced must not learn of it while the case is open.
    PERSONAL: ClassVar[Retention] = Retention(
        ended="case__ended_at", kind="case", number="case_id", withheld_while_open=True
    )

    class Meta:
        ordering = ("pk",)
        indexes = (
            models.Index(fields=("case", "imei"), name="trace_case"),
            models.Index(fields=("imsi_key",), name="trace_imsi"),
            models.Index(fields=("msisdn_key",), name="trace_msisdn"),
        )

    def __str__(self) -> str:
        return f"trace:{self.pk}"

    def reveal(self, access: Access) -> Whereabouts:
        """Who and where, for the police station of the case; that it was read is kept whatever happens then.

        Raises:
            PermissionDeniedError: the reader is not of the station of the case.
            RuntimeError: within another transaction, whose failure would take the record of reading with it.
        """
        require(access.actor, Permission.TRACE_READ, owner=self.case.police_id or NOBODY)
        with reading():
            return Whereabouts(*(self._read(field, access) for field in (self.imsi, self.msisdn, self.cell)))

    def _read(self, field: Sealed | None, access: Access) -> str:
        return "" if field is None else field.reveal(access, f"trace:{self.pk}")
