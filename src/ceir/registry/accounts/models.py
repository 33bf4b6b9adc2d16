"""Accounts of people and credentials of programs."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.organisations.models import Organisation


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def get_by_natural_key(self, username: str | None) -> "Account":
        """By login name, whatever its case."""
        return self.get(login__iexact=username)


class Account(AbstractBaseUser):
    """A person of an organisation, in one role.

    Why one role: four eyes need two people, and a person with two roles would be both.
    """

    login = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="accounts")
    role = models.CharField(max_length=16, choices=[(r.value, r.value) for r in Role])
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[AccountManager] = AccountManager()

    class Meta:
        ordering = ("login",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role if r is not Role.SYSTEM]),
                name="account_role",
            ),
        )

    def __str__(self) -> str:
        return self.login

    def clean(self) -> None:
        """Refuse a role that the organisation does not have."""
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        super().clean()
        allowed = ROLES_OF[OrganisationKind(self.organisation.kind)]
        if Role(self.role) not in allowed:
            named = ", ".join(sorted(r.value for r in allowed))
            raise ValidationError({"role": f"People of a {self.organisation.kind} are: {named}."})

    @property
    def actor(self) -> Actor:
        """As the record names this person."""
        return Actor(f"account:{self.pk}", self.role, self.organisation_id)

    @property
    def is_staff(self) -> bool:
        """Whether the administration's pages open."""
        return self.is_active and self.role in {Role.ADMINISTRATOR.value, Role.OFFICER.value}

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Administration's pages: only an administrator; what people may do here is `permissions`."""
        return self.is_active and self.role == Role.ADMINISTRATOR.value

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - Django's signature
        """As `has_perm`."""
        return self.has_perm("")


class Client(models.Model):
    """A program that acts for an organisation, with a secret of which only a hash is kept."""

    name = models.CharField(max_length=100)
    identifier = models.CharField(max_length=32, unique=True)
    secret_hash = models.CharField(max_length=200)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="clients")
    role = models.CharField(max_length=16, choices=[(r.value, r.value) for r in Role])
    scopes = models.JSONField(default=list, help_text="Names of the permissions that it may use.")
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        """As the record names this program."""
        return Actor(f"client:{self.pk}", self.role, self.organisation_id)
