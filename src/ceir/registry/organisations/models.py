"""Organisations that tell the register something or act on what it says."""

from django.db import models

from ceir.registry.actors import OrganisationKind


class Organisation(models.Model):
    """One of them; never deleted, only put out of use."""

    kind = models.CharField(max_length=16, choices=[(k.value, k.value) for k in OrganisationKind])
    name = models.CharField(max_length=200)
    code = models.SlugField(
        max_length=32, unique=True, help_text="Short name; of an operator the id in the policy."
    )
    place = models.CharField(max_length=200, blank=True, help_text="Of a police station or a border post.")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("kind", "code")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(kind__in=[k.value for k in OrganisationKind]), name="organisation_kind"
            ),
        )

    def __str__(self) -> str:
        return self.name
