"""Organisations: opened by two people, put out of use by one administrator."""

from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import OrganisationKind
from ceir.registry.administration.declaring import Deed, Desk, choice, done, reason, with_reason, words
from ceir.registry.organisations.entering import enter, propose_in_use, put_out_of_use
from ceir.registry.organisations.models import Organisation

_MANAGE = Permission.ORGANISATION_MANAGE

DESKS = (
    Desk(
        Organisation,
        sees=(_MANAGE, Permission.RIGHTS_CONFIRM, Permission.AUDIT_READ),
        shown=("code", "kind", "name", "place", "active"),
        filters=("kind", "active"),
        find=("code", "name"),
        begin=(
            Deed(
                "enter",
                "Ask for an organisation to be opened",
                _MANAGE,
                done(
                    lambda _, typed, actor, at: enter(
                        OrganisationKind(typed["kind"]),
                        typed["code"],
                        typed["name"],
                        place=typed["place"],
                        reason=typed["reason"],
                        actor=actor,
                        at=at,
                    )
                ),
                {
                    "kind": lambda: choice("Kind", tuple(kind.value for kind in OrganisationKind)),
                    "code": lambda: words("Code", 32),
                    "name": lambda: words("Name", 200),
                    "place": lambda: words("Place", 200, needed=False),
                    "reason": reason,
                },
            ),
        ),
        deeds=(
            Deed(
                "disable",
                "Put out of use",
                _MANAGE,
                with_reason(put_out_of_use),
                {"reason": reason},
                lambda row: bool(row.active),
            ),
            Deed(
                "enable",
                "Ask that it be put in use",
                _MANAGE,
                with_reason(propose_in_use),
                {"reason": reason},
                lambda row: not row.active,
            ),
        ),
    ),
)
