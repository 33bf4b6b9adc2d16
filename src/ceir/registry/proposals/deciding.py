"""Proposing and deciding: the second person is another one, of another role unless it is about rights."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import RULES, Permission, PermissionDeniedError, require
from ceir.registry.accounts.same_person import is_answered_for, same_person
from ceir.registry.actors import ROLES_OF, SYSTEM, Actor, OrganisationKind
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.project.configuring import APPS
from ceir.registry.proposals.models import Proposal, State
from ceir.registry.sweeping import for_each

LONGEST_REASON = 300
"""Characters of a reason: what an entry of the record holds."""


class ProposalError(CeirError):
    """The proposal cannot be made or decided."""

    code: ClassVar[str] = "proposal_refused"


class FourEyesError(PermissionDeniedError):
    """Who proposed cannot also decide, nor can another of the same role."""

    code: ClassVar[str] = "four_eyes"


@dataclass(frozen=True)
class ProposalKind:
    """A kind of change that needs two people.

    Args:
        name: `noun.verb`.
        may_propose, may_decide: permissions of the two.
        carry_out: makes the change; within the transaction of the decision.
        days: until it expires undecided.
        turned_down: what follows when it is rejected, withdrawn or expires: what stood only until somebody
            decided goes back; within the transaction of that.
        gives_rights: it decides who may do what. Who decides is a person and no program, and may have the
            role of who proposed; neither of the two is whom it is about.
    """

    name: str
    doc: str
    may_propose: Permission
    may_decide: Permission
    carry_out: Callable[[Proposal, Actor, datetime], None]
    days: int = 14
    turned_down: Callable[[Proposal, Actor, datetime], None] | None = None
    gives_rights: bool = False


@cache
def all_kinds() -> Mapping[str, ProposalKind]:
    """Every kind: the `KINDS` of the module `proposing` of each application that has one."""
    found: dict[str, ProposalKind] = {}
    for app in APPS:
        name = f"{app}.proposing"
        if importlib.util.find_spec(name) is not None:
            for kind in importlib.import_module(name).KINDS:
                found[kind.name] = kind
    return found


def propose(
    kind: ProposalKind, subject: str, payload: Mapping[str, Any], *, actor: Actor, reason: str, at: datetime
) -> Proposal:
    """Ask for a change.

    Raises:
        PermissionDeniedError: the actor may not.
        ProposalError: one of this kind waits for this subject already, or there is no reason.
    """
    require(actor, kind.may_propose)
    if kind.gives_rights:
        _require_not_own(actor, subject)
    reason = free_text(reason, "A reason", LONGEST_REASON)
    if not reason:
        raise ProposalError("A proposal needs a reason.", "Say why, for whoever decides and for the record.")
    proposal = Proposal(
        kind=kind.name,
        subject=subject,
        payload=dict(payload),
        reason=reason,
        proposed_by=actor.id,
        proposed_role=actor.role,
        proposed_organisation=actor.organisation,
        proposed_at=at,
        expires_at=at + timedelta(days=kind.days),
    )
    try:
        with transaction.atomic():
            proposal.save(force_insert=True)
            record(actor, "proposal.made", f"proposal:{proposal.pk}", at=at, basis=reason,
                   detail={"kind": kind.name, "subject": subject})  # fmt: skip
    except IntegrityError as error:
        raise ProposalError(
            f"A proposal {kind.name} for {subject} waits already.", "Decide that one first."
        ) from error
    return proposal


def decide(proposal_id: int, *, accept: bool, actor: Actor, reason: str, at: datetime) -> Proposal:
    """Be the second person: carry the change out, or reject it; exactly once.

    Raises:
        PermissionDeniedError: the actor may not, or is not a second person.
        ProposalError: there is none, or it is not open any more.
        TextRefusedError: no reason is given: whoever is concerned, and a court, must be able to read why.
    """
    reason = free_text(reason, "The reason of a decision", LONGEST_REASON, needed=True)
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
        if proposal is None:
            raise ProposalError(f"There is no proposal {proposal_id}.", "List those that wait.")
        kind = all_kinds()[proposal.kind]
        require(actor, kind.may_decide)
        _require_second_person(proposal, kind, actor)
        if proposal.state != State.OPEN.value or proposal.expires_at <= at:
            over = proposal.state if proposal.state != State.OPEN.value else State.EXPIRED.value
            raise ProposalError(f"Proposal {proposal_id} is {over} already.", "Make a new one.")
        proposal.state = (State.ACCEPTED if accept else State.REJECTED).value
        proposal.decided_by, proposal.decided_role = actor.id, actor.role
        proposal.decided_at, proposal.decision_reason = at, reason
        proposal.save()
        if accept:
            kind.carry_out(proposal, actor, at)
        elif kind.turned_down is not None:
            kind.turned_down(proposal, actor, at)
        record(actor, f"proposal.{proposal.state}", f"proposal:{proposal.pk}", at=at, basis=reason,
               detail={"kind": proposal.kind, "subject": proposal.subject})  # fmt: skip
    return proposal


def withdraw(proposal_id: int, *, actor: Actor, at: datetime) -> Proposal:
    """Take one's own proposal back.

    Raises:
        ProposalError: not one's own, or not open.
    """
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().filter(pk=proposal_id).first()
        if proposal is None or proposal.proposed_by != actor.id or proposal.state != State.OPEN.value:
            raise ProposalError(
                f"Proposal {proposal_id} is not open and yours.", "Only who made it takes it back."
            )
        proposal.state, proposal.decided_at = State.WITHDRAWN.value, at
        proposal.save()
        _turn_down(proposal, actor, at)
        record(actor, "proposal.withdrawn", f"proposal:{proposal.pk}", at=at)
    return proposal


def expire(at: datetime) -> int:
    """Close proposals that nobody decided in time; nothing is changed by them. Returns: how many."""

    def close(key: int) -> bool:
        with transaction.atomic():
            proposal = late.select_for_update().filter(pk=key).first()
            if proposal is None:
                return False
            proposal.state, proposal.decided_at = State.EXPIRED.value, at
            proposal.save()
            _turn_down(proposal, SYSTEM, at)
            record(SYSTEM, "proposal.expired", f"proposal:{proposal.pk}", at=at)
            return True

    late = Proposal.objects.filter(state=State.OPEN.value, expires_at__lte=at)
    return for_each(list(late.order_by("pk").values_list("pk", flat=True)), close)


def seen_by(actor: Actor) -> QuerySet[Proposal]:
    """The proposals that somebody may see: the regulator's people all of them, others those of kinds that
    they may propose or decide: what a police station waits for says nothing to customs.

    Raises:
        PermissionDeniedError: none.
    """
    require(actor, Permission.PROPOSAL_READ)
    role = actor.acts_as
    if role in ROLES_OF[OrganisationKind.REGULATOR]:
        return Proposal.objects.all()
    kinds = [
        name
        for name, kind in all_kinds().items()
        if role in RULES[kind.may_propose].roles | RULES[kind.may_decide].roles
    ]
    return Proposal.objects.filter(kind__in=kinds)


def _require_second_person(proposal: Proposal, kind: ProposalKind, actor: Actor) -> None:
    if kind.gives_rights:
        if not actor.id.startswith("account:"):
            raise FourEyesError(
                "Rights are given by people, not by programs.", "Do it at the office's pages."
            )
        _require_not_own(actor, proposal.subject)
    elif actor.role == proposal.proposed_role:
        raise FourEyesError(
            "Who proposed a change, or has the same role, cannot decide it.", "Ask somebody of another role."
        )
    if same_person(actor.id, proposal.proposed_by):
        raise FourEyesError(
            "Who proposed a change cannot decide it, by another account or a program neither.",
            "Ask somebody else.",
        )
    _require_answered_for(actor)


def _require_not_own(actor: Actor, subject: str) -> None:
    _require_answered_for(actor)
    if same_person(actor.id, subject):
        raise FourEyesError("Nobody has a say in his own rights.", "Ask another administrator.")


def _require_answered_for(actor: Actor) -> None:
    if not is_answered_for(actor.id):
        raise FourEyesError(
            "Nobody is known to answer for this program: it is no pair of eyes.",
            "Have credentials made that name who does.",
        )


def _turn_down(proposal: Proposal, actor: Actor, at: datetime) -> None:
    kind = all_kinds().get(proposal.kind)
    if kind is not None and kind.turned_down is not None:
        kind.turned_down(proposal, actor, at)
