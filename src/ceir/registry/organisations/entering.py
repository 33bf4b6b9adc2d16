"""Entering organisations, and putting them out of use."""

from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, OrganisationKind
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation


class OrganisationRefusedError(CeirError):
    """An organisation cannot be entered or changed like that."""

    code: ClassVar[str] = "organisation_refused"


def enter(
    kind: OrganisationKind, code: str, name: str, *, place: str = "", actor: Actor, at: datetime
) -> Organisation:
    """Enter an organisation.

    Args:
        code: short name, at most 32 of letters, digits, `-`, `_`; of an operator the id in the policy.

    Raises:
        PermissionDeniedError: the actor may not.
        OrganisationRefusedError: the code is none, or is taken.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    code = free_text(code, "A code", 32, needed=True)
    name = free_text(name, "A name", 200, needed=True)
    place = free_text(place, "A place", 200)
    try:
        validate_slug(code)
        with transaction.atomic():
            made = Organisation.objects.create(
                kind=kind.value, code=code, name=name, place=place, created_at=at
            )
            record(actor, "organisation.entered", f"organisation:{made.pk}", at=at,
                   detail={"kind": kind.value, "code": code})  # fmt: skip
    except (ValidationError, IntegrityError) as error:
        raise OrganisationRefusedError(
            f"{code!r} is no code, or another organisation has it.", "Letters, digits, - and _."
        ) from error
    return made


def set_in_use(
    organisation_id: int, *, active: bool, reason: str, actor: Actor, at: datetime
) -> Organisation:
    """Put an organisation out of use, or in use again: nobody of it comes in, from the next request on.

    Raises:
        PermissionDeniedError: the actor may not.
        OrganisationRefusedError: there is none, or it is the actor's own.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    basis = free_text(reason, "A reason", 300, needed=True)
    with transaction.atomic():
        found = Organisation.objects.select_for_update().filter(pk=organisation_id).first()
        if found is None or found.pk == actor.organisation:
            raise OrganisationRefusedError("There is no other organisation of that number.", "List them.")
        found.active = active
        found.save()
        done = "organisation.enabled" if active else "organisation.disabled"
        record(actor, done, f"organisation:{found.pk}", at=at, basis=basis)
    return found
