"""What logging in keeps: failures that are counted, identities elsewhere, consumers by their number."""

from django.db import models

from ceir.registry.accounts.models import Account
from ceir.registry.personal.fields import KeyedField


class Failures(models.Model):
    """How often somebody failed lately: a name from one place, a place, an account's second factor."""

    holder = models.CharField(
        max_length=100, unique=True, help_text="Kind, window and keyed hash: whom it is about cannot be read."
    )
    began = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "failures"

    def __str__(self) -> str:
        return self.holder


class Identity(models.Model):
    """That somebody whom an identity provider vouches for is an account's person; never made by a log-in."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identities")
    provider = models.SlugField(max_length=40, help_text="As the installer named it.")
    value = KeyedField(label="identity")
    linked_at = models.DateTimeField()
    agreed = models.BooleanField(
        default=False, help_text="A second person agreed; before that it lets nobody in."
    )

    class Meta:
        verbose_name_plural = "identities"
        constraints = (
            models.UniqueConstraint(fields=("provider", "value"), name="identity_of_one_account"),
            models.UniqueConstraint(fields=("account", "provider"), name="one_identity_a_provider"),
        )

    def __str__(self) -> str:
        return f"account:{self.account_id} at {self.provider}"


class Holder(models.Model):
    """A consumer's account, for as long as the number is in the same hands."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="holder")
    number = KeyedField(label="msisdn")
    since = models.DateTimeField()
    last_proven_at = models.DateTimeField()
    ended_at = models.DateTimeField(
        null=True, help_text="Since when the number is somebody else's, or may be."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("number",), condition=models.Q(ended_at=None), name="one_holder_a_number"
            ),
        )

    def __str__(self) -> str:
        return f"account:{self.account_id}"
