"""Who does something: an account, a program with credentials, or the register itself."""

from dataclasses import dataclass
from enum import Enum


class OrganisationKind(Enum):
    """What an organisation is to the register."""

    REGULATOR = "regulator"
    OPERATOR = "operator"
    POLICE = "police"
    CUSTOMS = "customs"
    IMPORTER = "importer"
    DEALER = "dealer"
    LAB = "lab"
    PUBLIC = "public"


class Role(Enum):
    """In which role somebody acts; what each may do stands in `accounts.permissions`."""

    OFFICER = "officer"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    POLICE = "police"
    CUSTOMS = "customs"
    IMPORTER = "importer"
    DEALER = "dealer"
    LAB = "lab"
    CONSUMER = "consumer"
    SYSTEM = "system"


ROLES_OF: dict[OrganisationKind, frozenset[Role]] = {
    OrganisationKind.REGULATOR: frozenset({Role.OFFICER, Role.REVIEWER, Role.AUDITOR, Role.ADMINISTRATOR}),
    OrganisationKind.OPERATOR: frozenset({Role.OPERATOR}),
    OrganisationKind.POLICE: frozenset({Role.POLICE}),
    OrganisationKind.CUSTOMS: frozenset({Role.CUSTOMS}),
    OrganisationKind.IMPORTER: frozenset({Role.IMPORTER}),
    OrganisationKind.DEALER: frozenset({Role.DEALER}),
    OrganisationKind.LAB: frozenset({Role.LAB}),
    OrganisationKind.PUBLIC: frozenset({Role.CONSUMER}),
}
"""The roles that people of an organisation can have."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the record names it.

    Args:
        id: `account:7`, `client:3`, or `system`.
        role: value of `Role`.
        organisation: its key; None: the system.
    """

    id: str
    role: str
    organisation: int | None = None

    @property
    def acts_as(self) -> Role:
        """The role."""
        return Role(self.role)


SYSTEM = Actor("system", Role.SYSTEM.value)
"""The register itself: deadlines that pass, runs that are taken over."""
