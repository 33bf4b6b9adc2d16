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
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal


class OrganisationRefusedError(CeirError):
    """An organisation cannot be entered or changed like that."""

    code: ClassVar[str] = "organisation_refused"


def enter(
    kind: OrganisationKind,
    code: str,
    name: str,
    *,
    place: str = "",
    reason: str,
    actor: Actor,
    at: datetime,
) -> Organisation:
    """Ask for an organisation to be opened: it is out of use until a second person agrees.

    Args:
        code: short name, at most 32 of letters, digits, `-`, `_`; of an operator the id in the policy.
        reason: for the second person and the record.

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
                kind=kind.value, code=code, name=name, place=place, active=False, created_at=at
            )
            record(actor, "organisation.entered", f"organisation:{made.pk}", at=at,
                   detail={"kind": kind.value, "code": code})  # fmt: skip
            propose(OPEN, f"organisation:{made.pk}", {}, actor=actor, reason=reason, at=at)
    except (ValidationError, IntegrityError) as error:
        raise OrganisationRefusedError(
            f"{code!r} is no code, or another organisation has it.", "Letters, digits, - and _."
        ) from error
    return made


def propose_in_use(organisation_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Ask that an organisation be put in use again.

    Raises:
        PermissionDeniedError: the actor may not.
        OrganisationRefusedError: there is none that is out of use.
    """
    require(actor, Permission.ORGANISATION_MANAGE)
    with transaction.atomic():
        if not Organisation.objects.filter(pk=organisation_id, active=False).exists():
            raise OrganisationRefusedError("No organisation of that number is out of use.", "List them.")
        return propose(OPEN, f"organisation:{organisation_id}", {}, actor=actor, reason=reason, at=at)


def put_out_of_use(organisation_id: int, *, reason: str, actor: Actor, at: datetime) -> Organisation:
    """Put an organisation out of use: nobody of it comes in, from the next request on. One person suffices.

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
        found.active = False
        found.save()
        record(actor, "organisation.disabled", f"organisation:{found.pk}", at=at, basis=basis)
    return found


def _opened(proposal: Proposal, actor: Actor, at: datetime) -> None:
    key = proposal.subject_key
    found = Organisation.objects.select_for_update().get(pk=key)
    found.active = True
    found.save()
    record(actor, "organisation.enabled", proposal.subject, at=at, basis=proposal.reason)


OPEN = ProposalKind(
    name="organisation.open",
    doc="Let an organisation take part, or take part again.",
    may_propose=Permission.ORGANISATION_MANAGE,
    may_decide=Permission.RIGHTS_CONFIRM,
    carry_out=_opened,
    gives_rights=True,
)
