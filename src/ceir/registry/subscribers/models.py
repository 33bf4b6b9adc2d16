"""People, the numbers they hold, and the SIMs these are used with."""

from typing import ClassVar

from django.db import models

from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import EncryptedField, KeyedField, Purpose
from ceir.registry.personal.retention import Retention

_KEPT_DAYS = 180


class Person(models.Model):
    """Somebody who holds numbers or devices; known by a document, or only by a number that he proved his."""

    name = EncryptedField(
        label="person.name", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS, null=True, blank=True
    )
    document = EncryptedField(
        label="person.document", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS, null=True, blank=True
    )
    document_key = KeyedField(label="document", null=True, unique=True)
    merged_into = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="merged",
        help_text="Who this turned out to be; never somebody who was merged himself.",
    )
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="Since when he holds neither a number nor a device.")

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="person")

    class Meta:
        verbose_name_plural = "people"
        indexes = (models.Index(fields=("ended_at",), name="person_ended"),)

    def __str__(self) -> str:
        return f"person:{self.pk}"


class Line(models.Model):
    """A number in somebody's hands, from when until when; the same through changes of SIM and operator."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="lines")
    number = EncryptedField(
        label="line.number", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS, null=True
    )
    number_key = KeyedField(label="msisdn", null=True)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="line")

    class Meta:
        indexes = (models.Index(fields=("ended_at",), name="line_ended"),)
        constraints = (
            models.UniqueConstraint(
                fields=("number_key",), condition=models.Q(ended_at=None), name="number_of_one_line"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=False)
                | models.Q(number__isnull=False, number_key__isnull=False),
                name="living_line_has_a_number",
            ),
        )

    def __str__(self) -> str:
        return f"line:{self.pk}"


class Sim(models.Model):
    """The IMSI that a line is used with, at which operator."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="sims")
    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    imsi = EncryptedField(label="sim.imsi", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS, null=True)
    imsi_key = KeyedField(label="imsi", null=True)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    PERSONAL: ClassVar[Retention] = Retention(ended="ended_at", kind="line", number="line_id")

    class Meta:
        indexes = (
            models.Index(fields=("ended_at",), name="sim_ended"),
            models.Index(fields=("imsi_key",), name="sim_imsi"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("imsi_key",), condition=models.Q(ended_at=None), name="imsi_of_one_line"
            ),
            models.UniqueConstraint(
                fields=("line",), condition=models.Q(ended_at=None), name="one_sim_a_line"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=False)
                | models.Q(imsi__isnull=False, imsi_key__isnull=False),
                name="living_sim_has_an_imsi",
            ),
        )

    def __str__(self) -> str:
        return f"sim:{self.pk}"
