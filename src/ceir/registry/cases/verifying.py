"""Confirming a report, which in mode block asks a second person for the block."""

from datetime import datetime

from django.db import transaction

from ceir.registry.accounts.permissions import Permission
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import Actor, OrganisationKind, Role
from ceir.registry.audit.chain import record
from ceir.registry.cases.leaving import lift_provisional
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import locked, move, require_for, save
from ceir.registry.cases.proposing import BLOCK
from ceir.registry.cases.states import CaseError, Mode, State
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation
from ceir.registry.proposals.deciding import propose
from ceir.registry.proposals.models import Proposal


def verify(
    case_id: int, *, reason: str, police_reference: str = "", actor: Actor, at: datetime
) -> Proposal | None:
    """Confirm a report; in mode block, propose the block to a second person of another role.

    A provisional block in force runs as long once more when somebody other than the reporter confirms: two
    people have then said so. Otherwise its deadline stays.

    Args:
        reason: what was checked.
        police_reference: of the police's own file; empty: as reported.

    Returns: the proposal that waits; None: recovery mode blocks nothing.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: there is none, or no device was chosen yet, or it is not waiting for this.
        TextRefusedError: no reason is given.
    """
    kept = free_text(reason, "A reason", 300, needed=True)
    reference = free_text(police_reference, "The police reference", 100)
    with transaction.atomic():
        case = locked(case_id)
        require_for(actor, Permission.CASE_VERIFY, case)
        if not case.identities.exists():
            raise CaseError(
                "No device of the case is known.", "Its owner proves his number and chooses the device first."
            )
        case.verified_by, case.verified_at = actor.id, at
        case.police_reference = reference or case.police_reference
        if actor.acts_as is Role.POLICE and case.police_id is None:
            case.police_id = actor.organisation
        lapsed = case.provisional_until is not None and case.provisional_until <= at
        another = not same_person(actor.id, case.reported_by)
        if case.provisional_from and case.provisional_until and not lapsed and another:
            case.provisional_until = at + (case.provisional_until - case.provisional_from)
        move(case, State.VERIFIED, actor=actor, at=at, reason=kept)
        if lapsed:
            lift_provisional(case, at=at)
        return _ask(case, kept, actor, at) if case.mode == Mode.BLOCK.value else None


def ask_for_block(case_id: int, *, reason: str, actor: Actor, at: datetime) -> Proposal:
    """Propose the block of a verified case anew, after an earlier proposal was rejected or expired.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: the case is not verified, or in recovery mode.
        ProposalError: one waits already.
    """
    with transaction.atomic():
        case = locked(case_id)
        require_for(actor, Permission.CASE_VERIFY, case)
        if case.mode != Mode.BLOCK.value or case.state != State.VERIFIED.value:
            raise CaseError(
                f"A case in mode {case.mode} that is {case.state} cannot be blocked.",
                "Only a verified case in mode block can.",
            )
        return _ask(case, reason, actor, at)


def assign_station(case_id: int, station_id: int, *, actor: Actor, at: datetime) -> Case:
    """Give a case to the police station that follows its traces.

    Raises:
        PermissionDeniedError: the actor may not.
        CaseError: there is none, it has ended, or the organisation is no police station in use.
    """
    with transaction.atomic():
        case = locked(case_id)
        require_for(actor, Permission.CASE_VERIFY, case)
        require_station(station_id)
        if case.ended_at is not None:
            raise CaseError(f"The case is {case.state}.", "There is nothing left to follow.")
        case.police_id = station_id
        save(case, at)
        record(actor, "case.assigned", f"case:{case.pk}", at=at, detail={"station": station_id})
    return case


def require_station(station_id: int) -> None:
    """Refuse what is no police station in use.

    Raises:
        CaseError: it is none.
    """
    stations = Organisation.objects.filter(kind=OrganisationKind.POLICE.value, active=True)
    if not stations.filter(pk=station_id).exists():
        raise CaseError("This is no police station in use.", "Choose one from the list of organisations.")


def _ask(case: Case, reason: str, actor: Actor, at: datetime) -> Proposal:
    imeis = sorted(f"{number:014}" for number in case.identities.values_list("imei", flat=True))
    return propose(BLOCK, f"case:{case.pk}", {"imeis": imeis}, actor=actor, reason=reason, at=at)
