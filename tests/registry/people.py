"""Organisations and people for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ceir.registry.accounts.models import Account, Client
from ceir.registry.accounts.permissions import Permission
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


def second() -> Actor:
    """The second person for whatever gives rights: another administrator than `actor(Role.ADMINISTRATOR)`."""
    return actor(Role.ADMINISTRATOR, "administrator-2")


def agreed(subject: str, by: Actor | None = None, at: datetime | None = None) -> list[str]:
    """A second person agrees to whatever waits about something. Returns: names of the kinds."""
    from ceir.registry.proposals.deciding import decide
    from ceir.registry.proposals.models import Proposal

    waiting = list(Proposal.objects.filter(subject=subject, state="open"))
    for proposal in waiting:
        when = at or proposal.proposed_at
        decide(proposal.pk, accept=True, actor=by or second(), reason="seen the papers", at=when)
    return [proposal.kind for proposal in waiting]


def credentials(
    organisation: Organisation,
    name: str,
    role: Role,
    scopes: Iterable[Permission],
    *,
    identifier: str,
    secret: str,
    responsible: Account,
    at: datetime = NOW,
) -> Client:
    """A program in use, with both halves of its secret."""
    from ceir.registry.accounts.clients import hand_out, make_client

    middle = len(secret) // 2
    made = make_client(
        organisation,
        name,
        role,
        scopes,
        identifier=identifier,
        half=secret[:middle],
        responsible=responsible.pk,
        reason="a program of theirs",
        actor=actor(Role.ADMINISTRATOR, "administrator-3"),
        at=at,
    )
    agreed(made.actor.id)
    return hand_out(made.pk, half=secret[middle:], actor=second(), at=at)


def actor(role: Role, login: str = "", of: str = "") -> Actor:
    """A person in a role, as services take one."""
    return account(role, login, of).actor
