"""Certificates with what they rest on, and what was found in shops and reported by people."""

from datetime import date
from enum import Enum

from django.db import models

from ceir.registry.documents.models import Document
from ceir.registry.organisations.models import Organisation
from ceir.registry.type_approvals.quantities import QUANTITIES


class CertificateState(Enum):
    """Where a certificate stands. Whether it counts on a day is also a matter of its dates."""

    DRAFT = "draft"
    DROPPED = "dropped"
    VALID = "valid"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class Certificate(models.Model):
    """A certificate of models that may be used: a draft can change, an issued one only comes to say more."""

    number = models.CharField(max_length=64, unique=True)
    holder = models.CharField(max_length=200, help_text="Who holds it, as it is printed.")
    holder_organisation = models.ForeignKey(
        Organisation, null=True, on_delete=models.PROTECT, related_name="certificates"
    )
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in CertificateState],
        default=CertificateState.DRAFT.value,
    )
    revision = models.PositiveIntegerField(default=1, help_text="Goes up whenever what it says changes.")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, help_text="Last day; none: open.")
    drafted_by = models.CharField(max_length=64)
    drafted_at = models.DateTimeField()

    class Meta:
        ordering = ("number",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="certificate_days",
            ),
        )

    def __str__(self) -> str:
        return self.number

    def in_force_on(self, day: date) -> bool:
        """Whether it counts on a day."""
        return (
            self.state == CertificateState.VALID.value
            and self.valid_from <= day
            and (self.valid_until is None or day <= self.valid_until)
        )


class CertifiedModel(models.Model):
    """A model that a certificate names."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="models")
    manufacturer = models.CharField(max_length=128)
    name = models.CharField(max_length=128)

    class Meta:
        ordering = ("manufacturer", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("certificate", "manufacturer", "name"), name="model_once_on_a_certificate"
            ),
        )

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.name}"


class CertifiedTac(models.Model):
    """A Type Allocation Code of a certified model."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="tacs")
    model = models.ForeignKey(CertifiedModel, on_delete=models.CASCADE, related_name="tacs")
    tac = models.CharField(max_length=8)

    class Meta:
        ordering = ("tac",)
        indexes = (models.Index(fields=("tac",), name="certified_tac"),)
        constraints = (
            models.UniqueConstraint(fields=("certificate", "tac"), name="tac_once_on_a_certificate"),
        )

    def __str__(self) -> str:
        return self.tac


class Standard(models.Model):
    """A standard that the models conform to."""

    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="standards")
    designation = models.CharField(max_length=100, help_text="With its edition: `EN 301 511 V12.5.1`.")

    class Meta:
        ordering = ("designation",)
        constraints = (
            models.UniqueConstraint(
                fields=("certificate", "designation"), name="standard_once_on_a_certificate"
            ),
        )

    def __str__(self) -> str:
        return self.designation


class CertificateEvent(models.Model):
    """What happened to a certificate, and why; never changed."""

    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    reason = models.CharField(max_length=500)
    asked_by = models.CharField(max_length=64)
    decided_by = models.CharField(max_length=64)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.certificate_id}: {self.before} → {self.after}"


class LabReport(models.Model):
    """What a laboratory measured on a sample of a model; corrected only by another report."""

    lab = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="lab_reports")
    number = models.CharField(max_length=64)
    manufacturer = models.CharField(max_length=128)
    model = models.CharField(max_length=128)
    sample = models.CharField(max_length=100, help_text="What tells the sample apart: serial number, seal.")
    tested_on = models.DateField()
    certificate = models.ForeignKey(
        Certificate, null=True, on_delete=models.PROTECT, related_name="lab_reports"
    )
    paper = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")
    entered_by = models.CharField(max_length=64)
    entered_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("lab", "number"), name="lab_report_number"),)

    def __str__(self) -> str:
        return self.number

    @property
    def passed(self) -> bool:
        """Whether every measurement keeps its limits."""
        return all(measurement.passed for measurement in self.measurements.all())


class Measurement(models.Model):
    """One measured value with the limits that it must keep; whether it does is computed, never claimed."""

    report = models.ForeignKey(LabReport, on_delete=models.CASCADE, related_name="measurements")
    quantity = models.CharField(max_length=40, choices=[(q.name, q.name) for q in QUANTITIES.values()])
    band = models.CharField(max_length=40, blank=True, help_text="Where it was measured: `GSM 900`.")
    clause = models.CharField(max_length=100, help_text="What sets the limits: a standard and its clause.")
    value = models.DecimalField(max_digits=14, decimal_places=4)
    at_least = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    at_most = models.DecimalField(max_digits=14, decimal_places=4, null=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(at_least__isnull=False) | models.Q(at_most__isnull=False),
                name="measurement_limit",
            ),
        )

    def __str__(self) -> str:
        return f"{self.quantity}: {self.value} {self.unit}"

    @property
    def unit(self) -> str:
        """The unit of value and limits: that of the quantity."""
        return QUANTITIES[self.quantity].unit

    @property
    def passed(self) -> bool:
        """Whether the value keeps its limits."""
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


class SurveillanceState(Enum):
    """Where an audit of the market stands."""

    PLANNED = "planned"
    BEGUN = "begun"
    CLOSED = "closed"


class Surveillance(models.Model):
    """An audit of the market: officers look at what is sold somewhere."""

    number = models.CharField(max_length=64, unique=True)
    place = models.CharField(max_length=200)
    on = models.DateField()
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in SurveillanceState],
        default=SurveillanceState.PLANNED.value,
    )
    conclusion = models.CharField(max_length=500, blank=True)
    planned_by = models.CharField(max_length=64)
    planned_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-on", "pk")
        verbose_name_plural = "surveillance"

    def __str__(self) -> str:
        return self.number


class Sample(models.Model):
    """A device taken from sale and looked at."""

    surveillance = models.ForeignKey(Surveillance, on_delete=models.PROTECT, related_name="samples")
    manufacturer = models.CharField(max_length=128, help_text="As labelled.")
    model = models.CharField(max_length=128, help_text="As labelled.")
    imei = models.BigIntegerField(null=True, help_text="That the device shows; none: it shows none.")
    taken_from = models.CharField(max_length=200, help_text="Shop or stall.")
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.model}"


class Aspect(Enum):
    """What a sample is judged by; a device can be faulty in one and sound in the others."""

    BRAND = "brand"
    """Whether it is of the maker it says (trade mark, design, packaging)."""
    CONFORMITY = "conformity"
    """Whether it is the model that was approved, marked and keeping its limits."""
    IDENTIFIER = "identifier"
    """Whether its IMEI is its own: the same on label and screen, of its TAC, unchanged."""


class Finding(models.Model):
    """What was found of a sample in one aspect."""

    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, related_name="findings")
    aspect = models.CharField(max_length=16, choices=[(a.value, a.value) for a in Aspect])
    faulty = models.BooleanField()
    text = models.CharField(max_length=1000)
    report = models.ForeignKey(LabReport, null=True, on_delete=models.PROTECT, related_name="+")
    found_by = models.CharField(max_length=64)
    found_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("sample", "aspect"), name="finding_of_an_aspect"),)

    def __str__(self) -> str:
        return f"{self.aspect}: {'faulty' if self.faulty else 'sound'}"


class Action(Enum):
    """What follows from what was found."""

    WARNING = "warning"
    RECALL = "recall"
    SUSPENSION = "suspension"
    """To propose that the certificate be suspended; that takes two people of its own."""
    CUSTOMS = "customs"
    POLICE = "police"
    MAKER = "maker"
    """To ask the maker or the brand's owner."""


class FollowUp(models.Model):
    """Something that must be done by a day because of what an audit found."""

    surveillance = models.ForeignKey(Surveillance, on_delete=models.PROTECT, related_name="follow_ups")
    action = models.CharField(max_length=16, choices=[(a.value, a.value) for a in Action])
    text = models.CharField(max_length=500)
    due_on = models.DateField()
    certificate = models.ForeignKey(
        Certificate, null=True, on_delete=models.PROTECT, related_name="follow_ups"
    )
    asked_by = models.CharField(max_length=64)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("due_on", "pk")

    def __str__(self) -> str:
        return f"{self.action} by {self.due_on}"


class CounterfeitState(Enum):
    """Where a report of a counterfeit stands."""

    REPORTED = "reported"
    EXAMINED = "examined"
    CONFIRMED = "confirmed"
    UNFOUNDED = "unfounded"
    TAKEN_BACK = "taken_back"


class Suspicion(Enum):
    """What somebody thinks is wrong with a device."""

    COPIED_IMEI = "copied_imei"
    COUNTERFEIT = "counterfeit"
    SEVERAL_MODELS = "several_models"
    """Different models carry the same TAC."""


class CounterfeitReport(models.Model):
    """Somebody says that a device is not what it says it is."""

    suspicion = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Suspicion])
    imei = models.BigIntegerField(help_text="That the device shows.")
    brand = models.CharField(max_length=128)
    model = models.CharField(max_length=128)
    sold_at = models.CharField(max_length=200, blank=True)
    text = models.CharField(max_length=1000, blank=True)
    state = models.CharField(
        max_length=16,
        choices=[(s.value, s.value) for s in CounterfeitState],
        default=CounterfeitState.REPORTED.value,
    )
    conclusion = models.CharField(max_length=500, blank=True)
    reported_by = models.CharField(max_length=64)
    reported_organisation = models.BigIntegerField(null=True)
    reported_at = models.DateTimeField()
    examined_by = models.CharField(max_length=64, blank=True)
    concluded_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-reported_at", "pk")
        indexes = (models.Index(fields=("imei",), name="counterfeit_imei"),)

    def __str__(self) -> str:
        return f"{self.brand} {self.model}: {self.state}"


class Shows(Enum):
    """What a photo shows."""

    DEVICE = "device"
    PACKAGING = "packaging"
    IMEI_ON_SCREEN = "imei_on_screen"
    IMEI_ON_PACKAGING = "imei_on_packaging"


class CounterfeitPhoto(models.Model):
    """A photo that goes with a report."""

    report = models.ForeignKey(CounterfeitReport, on_delete=models.PROTECT, related_name="photos")
    shows = models.CharField(max_length=20, choices=[(s.value, s.value) for s in Shows])
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("report", "document"), name="photo_once_on_a_report"),)

    def __str__(self) -> str:
        return self.shows
