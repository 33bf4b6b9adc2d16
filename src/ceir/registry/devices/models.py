"""Devices and what identifies them, with everything that ever did."""

from enum import Enum

from django.db import models


class IdentifierKind(Enum):
    """What identifies a device."""

    IMEI = "imei"
    EID = "eid"
    SERIAL = "serial"


class Device(models.Model):
    """One physical thing, which may bear several identities; retired when it is taken apart or was none."""

    manufacturer = models.CharField(max_length=200, blank=True, help_text="From the TAC list.")
    model = models.CharField(max_length=200, blank=True)
    brand = models.CharField(max_length=200, blank=True)
    device_type = models.CharField(max_length=100, blank=True)
    radio_interface = models.CharField(max_length=1000, blank=True)
    entered_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"device:{self.pk}"


class Identifier(models.Model):
    """That an identifier is a device's, or was.

    The database itself keeps an identifier from being two living devices'.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="identifiers")
    kind = models.CharField(max_length=8, choices=[(k.value, k.value) for k in IdentifierKind])
    slot = models.PositiveSmallIntegerField(default=1, help_text="Of an IMEI 1 to 4; else 1.")
    imei = models.BigIntegerField(null=True, help_text="14 digits as a number.")
    value = models.CharField(max_length=64, blank=True, help_text="An EID, or a serial number.")
    maker = models.CharField(max_length=200, blank=True, help_text="Whose serial numbers they are.")
    bound_at = models.DateTimeField()
    bound_because = models.CharField(max_length=64, help_text="`registration:3`, `work_order:7`.")
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("device", "kind", "slot", "bound_at")
        constraints = (
            models.UniqueConstraint(
                fields=("imei",),
                condition=models.Q(ended_at=None, kind=IdentifierKind.IMEI.value),
                name="imei_of_one_device",
            ),
            models.UniqueConstraint(
                fields=("value",),
                condition=models.Q(ended_at=None, kind=IdentifierKind.EID.value),
                name="eid_of_one_device",
            ),
            models.UniqueConstraint(
                fields=("maker", "value"),
                condition=models.Q(ended_at=None, kind=IdentifierKind.SERIAL.value),
                name="serial_of_one_device",
            ),
            models.UniqueConstraint(
                fields=("device", "kind", "slot"),
                condition=models.Q(ended_at=None),
                name="one_identifier_a_slot",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind=IdentifierKind.IMEI.value, imei__gte=0, imei__lt=10**14, slot__range=(1, 4), value=""
                )
                | (
                    models.Q(kind__in=[IdentifierKind.EID.value, IdentifierKind.SERIAL.value])
                    & models.Q(imei=None, slot=1)
                    & ~models.Q(value="")
                ),
                name="identifier_fits_its_kind",
            ),
        )
        indexes = (models.Index(fields=("imei",), name="identifier_imei"),)

    def __str__(self) -> str:
        return f"{self.kind} of device:{self.device_id}"
