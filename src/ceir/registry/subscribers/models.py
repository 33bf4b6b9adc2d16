"""People, the numbers they hold, and the SIMs these are used with."""

from django.db import models

from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import EncryptedField, KeyedField, Purpose

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

    class Meta:
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return f"person:{self.pk}"


class Line(models.Model):
    """A number in somebody's hands, from when until when; the same through changes of SIM and operator."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="lines")
    number = EncryptedField(label="line.number", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS)
    number_key = KeyedField(label="msisdn")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("number_key",), condition=models.Q(ended_at=None), name="number_of_one_line"
            ),
        )

    def __str__(self) -> str:
        return f"line:{self.pk}"


class Sim(models.Model):
    """The IMSI that a line is used with, at which operator."""

    line = models.ForeignKey(Line, on_delete=models.PROTECT, related_name="sims")
    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    imsi = EncryptedField(label="sim.imsi", purpose=Purpose.REGISTRATION, kept_days=_KEPT_DAYS)
    imsi_key = KeyedField(label="imsi")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("imsi_key",), condition=models.Q(ended_at=None), name="imsi_of_one_line"
            ),
            models.UniqueConstraint(
                fields=("line",), condition=models.Q(ended_at=None), name="one_sim_a_line"
            ),
        )

    def __str__(self) -> str:
        return f"sim:{self.pk}"
