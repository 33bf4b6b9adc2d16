"""Organisations and people for tests."""

from datetime import UTC, datetime

from ceir.registry.accounts.models import Account
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.organisations.models import Organisation

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)

_KIND_OF = {
    Role.OFFICER: OrganisationKind.REGULATOR,
    Role.REVIEWER: OrganisationKind.REGULATOR,
    Role.AUDITOR: OrganisationKind.REGULATOR,
    Role.ADMINISTRATOR: OrganisationKind.REGULATOR,
    Role.OPERATOR: OrganisationKind.OPERATOR,
    Role.POLICE: OrganisationKind.POLICE,
    Role.CUSTOMS: OrganisationKind.CUSTOMS,
    Role.IMPORTER: OrganisationKind.IMPORTER,
    Role.DEALER: OrganisationKind.DEALER,
    Role.LAB: OrganisationKind.LAB,
    Role.CONSUMER: OrganisationKind.PUBLIC,
}


def organisation(kind: OrganisationKind, code: str = "") -> Organisation:
    """An organisation of a kind; the same again for the same code."""
    name = code or kind.value
    found, _ = Organisation.objects.get_or_create(
        code=name, defaults={"kind": kind.value, "name": name, "created_at": NOW}
    )
    return found


def account(role: Role, login: str = "", of: str = "") -> Account:
    """A person in a role."""
    made, _ = Account.objects.get_or_create(
        login=login or f"{role.value}-1",
        defaults={
            "name": login or role.value,
            "role": role.value,
            "organisation": organisation(_KIND_OF[role], of),
            "created_at": NOW,
        },
    )
    return made


def actor(role: Role, login: str = "", of: str = "") -> Actor:
    """A person in a role, as services take one."""
    return account(role, login, of).actor
