"""Into a block: by two people, or provisionally by one for a time; never before every way out was gone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import DatabaseError, transaction

from ceir.identifiers import Imei
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.cases.leaving import ways_out_of_block, ways_out_of_provisional_block
from ceir.registry.cases.models import Case, CaseIdentity, NoProvisionalBlock
from ceir.registry.cases.moving import locked, move, save
from ceir.registry.cases.standing import IN_FORCE, standings
from ceir.registry.cases.states import CaseError, IllegalMoveError, Mode, Reporter, State
from ceir.registry.cases.telling import tell_owner
from ceir.registry.notices.models import Event
from ceir.registry.proposals.models import Proposal
from ceir.registry.proposals.models import State as ProposalState

_MOST_HOURS = 30 * 24
_DAY = timedelta(days=1)


class UnblockingUntriedError(CaseError):
    """A block was not made because a way out of it did not work when it was tried."""

    code: ClassVar[str] = "unblocking_untried"


@dataclass(frozen=True)
class ProvisionalBlock:
    """That a policy blocks devices as soon as they are reported, and how far.

    Args:
        hours: until it is lifted if nobody decides, 1 to 720. When somebody other than the reporter verifies
            the case in time, they begin once more, for the second pair of eyes.
        reporters: whose word is taken. A consumer's never for an IMEI that he typed: only for a device that
            was seen with a number that he proved to hold.
        again_after_days: a device whose provisional block nobody verified is not blocked so again for so
            long.
        devices_a_day: most devices that one reporter blocks so within 24 hours.
    """

    hours: int = 72
    reporters: frozenset[Reporter] = frozenset({Reporter.POLICE, Reporter.OPERATOR})
    again_after_days: int = 90
    devices_a_day: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.hours <= _MOST_HOURS or self.again_after_days < 0 or self.devices_a_day < 1:
            raise ValueError("a provisional block lasts 1 to 720 hours, and holds for one device at least")


def block(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """Block the devices of a case: what a second person accepts; see `proposing`.

    Raises:
        CaseError: nobody accepted it, or its case was changed since or cannot be blocked.
        UnblockingUntriedError: a way out does not work.
    """
    if proposal.state != ProposalState.ACCEPTED.value or proposal.decided_by in ("", proposal.proposed_by):
        raise CaseError(
            "Two people block a case.", "Propose it, and have somebody of another role accept it."
        )
    case = locked(int(proposal.subject.removeprefix("case:")))
    if sorted(proposal.payload.get("imeis", ())) != _imeis(case):
        raise CaseError("The proposal is about other devices than the case.", "Reject it and propose anew.")
    if Mode(case.mode) is not Mode.BLOCK:
        raise IllegalMoveError("A case in recovery mode never blocks.", "Reject the proposal.")

    def begin(chosen: Case) -> None:
        chosen.block_proposal, chosen.blocked_at = proposal.pk, at
        chosen.provisional_until = None
        chosen.unblocking_tried_at = at
        move(chosen, State.BLOCKED, actor=actor, at=at, reason=proposal.reason)

    _try_every_way_out(case, begin, ways_out_of_block(), actor, at)
    begin(case)


def block_provisionally(case: Case, policy: ProvisionalBlock, *, actor: Actor, at: datetime) -> None:
    """Block the devices of a reported case for the policy's hours, or keep why not.

    Args:
        case: locked or new, in mode block, with its devices.

    Raises:
        UnblockingUntriedError: a way out does not work.
    """
    refused = _why_not(case, policy, at)
    if refused is not None:
        case.no_provisional_block = refused.value
        save(case, at)
        return

    def begin(chosen: Case) -> None:
        chosen.provisional_from, chosen.provisional_until = at, at + timedelta(hours=policy.hours)
        chosen.unblocking_tried_at, chosen.no_provisional_block = at, ""
        save(chosen, at)
        record(
            actor, "case.blocked_provisionally", f"case:{chosen.pk}", at=at, detail={"hours": policy.hours}
        )

    _try_every_way_out(case, begin, ways_out_of_provisional_block(), actor, at)
    begin(case)
    tell_owner(case, Event.CASE_PROVISIONAL, at)


def _try_every_way_out(
    case: Case,
    begin: Callable[[Case], None],
    ways: Iterable[Callable[[Case, Actor, datetime], None]],
    actor: Actor,
    at: datetime,
) -> None:
    """Make the block, go every way out of it with the real functions on the real tables, and take all back.

    Why: a block that cannot be undone on the day when it must be is worse than none.
    """
    with transaction.atomic():
        trial = Case.objects.get(pk=case.pk)
        begin(trial)
        if not _blocks(case, at):
            raise UnblockingUntriedError(
                "The block would not hold.", "Report this to whoever runs the register; nothing was blocked."
            )
        for way in ways:
            _try(way, case, actor, at)
        transaction.set_rollback(True)


def _try(way: Callable[[Case, Actor, datetime], None], case: Case, actor: Actor, at: datetime) -> None:
    broken = UnblockingUntriedError(
        "A way out of the block does not work.",
        "Report this to whoever runs the register; nothing was blocked.",
    )
    try:
        with transaction.atomic():
            way(Case.objects.get(pk=case.pk), actor, at)
            if _blocks(case, at):
                raise broken
            transaction.set_rollback(True)
    except (DatabaseError, IllegalMoveError) as error:
        raise broken from error


def _blocks(case: Case, at: datetime) -> bool:
    imeis = [Imei.from_number(number) for number in case.identities.values_list("imei", flat=True)]
    said = [s for s in standings(at, imeis) if s.status == IN_FORCE and case.pk in s.cases]
    return bool(said)


def _why_not(case: Case, policy: ProvisionalBlock, at: datetime) -> NoProvisionalBlock | None:
    reporter = Reporter(case.reporter)
    if reporter not in policy.reporters:
        return NoProvisionalBlock.REPORTER
    identities = list(case.identities.all())
    if reporter is Reporter.CONSUMER and not (identities and all(i.proven for i in identities)):
        return NoProvisionalBlock.NUMBER_NOT_PROVEN
    unverified = CaseIdentity.objects.exclude(case=case).filter(
        imei__in=[i.imei for i in identities],
        case__provisional_from__gt=at - timedelta(days=policy.again_after_days),
        case__verified_at__isnull=True,
    )
    if case.provisional_from is not None or unverified.exists():
        return NoProvisionalBlock.BLOCKED_BEFORE
    lately = CaseIdentity.objects.exclude(case=case).filter(
        case__reported_by=case.reported_by, case__provisional_from__gt=at - _DAY
    )
    if lately.count() + len(identities) > policy.devices_a_day:
        return NoProvisionalBlock.QUOTA
    return None


def _imeis(case: Case) -> list[str]:
    return sorted(f"{number:014}" for number in case.identities.values_list("imei", flat=True))
