"""One-time codes as they are kept: neither the code nor the number can be read from the database."""

from enum import Enum

from django.db import models

from ceir.registry.personal.fields import KeyedField


class Purpose(Enum):
    """What a code proves a number for; one for one purpose is none for another."""

    LOGIN = "login"
    CASE = "case"
    REGISTRATION = "registration"
    DEVICES = "devices"
    TRANSFER = "transfer"
    REPAIR = "repair"
    PAIRING = "pairing"
    APPEAL = "appeal"


class State(Enum):
    """Where a code stands."""

    SENT = "sent"
    PROVEN = "proven"
    USED = "used"
    SPENT = "spent"
    REPLACED = "replaced"


class Code(models.Model):
    """One code, sent to one number, for one purpose, asked for by one actor."""

    purpose = models.CharField(max_length=16, choices=[(p.value, p.value) for p in Purpose])
    subject = models.CharField(max_length=64, blank=True, help_text="What it is about: `case:12`.")
    number = KeyedField(label="msisdn")
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=16, help_text="Keyed hash of salt and code.")
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in State], default=State.SENT.value
    )
    tries_left = models.PositiveSmallIntegerField()
    asked_by = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="Until then it can be given.")
    proven_until = models.DateTimeField(null=True, help_text="Until then what it proved counts.")

    class Meta:
        ordering = ("-sent_at",)
        indexes = (models.Index(fields=("number", "purpose", "state"), name="code_of_number"),)

    def __str__(self) -> str:
        return f"{self.purpose}: {self.state}"


class Allowance(models.Model):
    """How many codes, and how many wrong ones, a number or an actor had in the last day and hour."""

    holder = models.CharField(max_length=80, unique=True, help_text="`account:7`, or a number's keyed hash.")
    hour_began = models.DateTimeField()
    sent_this_hour = models.PositiveIntegerField(default=0)
    day_began = models.DateTimeField()
    sent_today = models.PositiveIntegerField(default=0)
    wrong_today = models.PositiveIntegerField(default=0)
    last_sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.holder
