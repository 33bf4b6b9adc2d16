"""Organisations: entered and put out of use by administrators."""

from functools import partial

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import OrganisationKind
from ceir.registry.administration.declaring import Deed, Desk, choice, done, reason, with_reason, words
from ceir.registry.organisations.entering import enter, set_in_use
from ceir.registry.organisations.models import Organisation

_MANAGE = Permission.ORGANISATION_MANAGE

DESKS = (
    Desk(
        Organisation,
        sees=(_MANAGE, Permission.AUDIT_READ),
        shown=("code", "kind", "name", "place", "active"),
        filters=("kind", "active"),
        find=("code", "name"),
        begin=(
            Deed(
                "enter",
                "Enter an organisation",
                _MANAGE,
                done(
                    lambda _, typed, actor, at: enter(
                        OrganisationKind(typed["kind"]),
                        typed["code"],
                        typed["name"],
                        place=typed["place"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "kind": lambda: choice("Kind", tuple(kind.value for kind in OrganisationKind)),
                    "code": lambda: words("Code", 32),
                    "name": lambda: words("Name", 200),
                    "place": lambda: words("Place", 200, needed=False),
                },
            ),
        ),
        deeds=(
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(partial(set_in_use, active=False)),
                {"reason": reason},
                lambda row: bool(row.active),
            ),
            Deed(
                "enable",
                "Put in use again",
                _MANAGE,
                with_reason(partial(set_in_use, active=True)),
                {"reason": reason},
                lambda row: not row.active,
            ),
        ),
    ),
)
