"""Models by Type Allocation Code, and when networks saw equipment; replaced as a whole, never edited."""

from django.db import models


class TacRecord(models.Model):
    """A model as GSMA's list has it."""

    tac = models.IntegerField(primary_key=True, help_text="8 digits as a number.")
    manufacturer = models.CharField(max_length=200, blank=True)
    model_name = models.CharField(max_length=200, blank=True)
    brand_name = models.CharField(max_length=200, blank=True)
    marketing_name = models.CharField(max_length=200, blank=True)
    device_type = models.CharField(max_length=100, blank=True)
    bands = models.TextField(blank=True)
    radio_interface = models.TextField(blank=True)
    operating_system = models.CharField(max_length=200, blank=True)
    sim_slots = models.PositiveSmallIntegerField(default=0, help_text="IMEIs of one device; 0: not known.")
    allocated_on = models.DateField(null=True)
    further = models.JSONField(default=dict, help_text="Other columns of the list, as they came.")

    class Meta:
        verbose_name = "TAC record"

    def __str__(self) -> str:
        return f"{self.tac:08}"


class Observed(models.Model):
    """When networks saw equipment first and last, as the pipeline's observations know it."""

    imei = models.BigIntegerField(primary_key=True, help_text="As in decisions.")
    first_seen = models.DateField()
    last_seen = models.DateField()

    class Meta:
        verbose_name_plural = "observed"

    def __str__(self) -> str:
        return f"{self.imei}"
