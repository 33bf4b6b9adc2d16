"""Accounts of people and credentials of programs."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from ceir.registry.accounts.permissions import RULES, Permission
from ceir.registry.actors import ROLES_OF, Actor, OrganisationKind, Role
from ceir.registry.organisations.models import Organisation
from ceir.registry.personal.fields import KeyedField

OFFICE = frozenset({Role.OFFICER, Role.REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR, Role.POLICE, Role.CUSTOMS})
"""Roles whose people work with the office's pages."""


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
    sessions_since = models.DateTimeField(
        null=True, blank=True, help_text="Sessions that began earlier are over."
    )
    document_key = KeyedField(label="document", null=True)
    same_as = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Another account of the same person.",
    )

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
            models.UniqueConstraint(Lower("login"), name="account_login_whatever_case"),
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
        """Whether the office's pages open."""
        return self.is_active and Role(self.role) in OFFICE

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone does not let this person in."""
        return self.role != Role.CONSUMER.value

    def may(self, permission: Permission) -> bool:
        """Whether the role has it, be it for its own things only."""
        return self.is_active and Role(self.role) in RULES[permission].roles

    def has_perm(self, perm: str, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """By the name of a `Permission`; Django's own, which change rows behind the services, nobody has."""
        return perm in _NAMES and self.may(Permission(perm))

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - Django's signature
        """Whether a capability shows up at all: each page of it asks for what it needs."""
        return self.is_staff


_NAMES = frozenset(permission.value for permission in Permission)


class Invitation(models.Model):
    """A code with which somebody chooses the password of his account, once; nobody else has all of it."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="invitation")
    code = KeyedField(label="invitation")
    asked_by = models.CharField(max_length=64, blank=True, help_text="Who gave the first half.")
    second_code = KeyedField(label="invitation half", null=True)
    given_by = models.CharField(max_length=64, blank=True, help_text="Who agreed and gives the second half.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries_left = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"account:{self.account_id}"


class Client(models.Model):
    """A program that acts for an organisation, with a secret of which only a hash is kept."""

    name = models.CharField(max_length=100)
    identifier = models.CharField(max_length=32, unique=True)
    secret_hash = models.CharField(max_length=200)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="clients")
    role = models.CharField(max_length=16, choices=[(r.value, r.value) for r in Role])
    scopes = models.JSONField(default=list, help_text="Names of the permissions that it may use.")
    responsible = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.PROTECT,
        related_name="programs",
        help_text="The person who answers for what it does.",
    )
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    first_half = models.BinaryField(null=True, help_text="Of a secret whose second half is not given yet.")
    asked_by = models.CharField(max_length=64, blank=True, help_text="Who gave it.")
    given_by = models.CharField(max_length=64, blank=True, help_text="Who agreed and gives the second half.")
    overlap_seconds = models.PositiveIntegerField(
        default=0, help_text="For so long the secret before goes on beside the one that is being given."
    )
    previous_hash = models.CharField(max_length=200, blank=True, help_text="Of the secret before.")
    previous_until = models.DateTimeField(null=True, help_text="Until then the secret before is good too.")
    certificates = models.JSONField(
        default=list,
        help_text="SHA-256 of certificates, one of which it must come with (`x5t#S256`); none: without.",
    )

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> Actor:
        """As the record names this program."""
        return Actor(f"client:{self.pk}", self.role, self.organisation_id)
