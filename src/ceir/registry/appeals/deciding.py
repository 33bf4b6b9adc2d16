"""Deciding appeals: an officer examines and recommends, another person decides; and what if nobody does."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.accounts.same_person import same_person
from ceir.registry.actors import SYSTEM, Actor
from ceir.registry.appeals.appealing import (
    AppealError,
    AppealPolicy,
    go_on,
    has_sim,
    let,
    locked,
    named,
)
from ceir.registry.appeals.models import TRANSITIONS, Appeal, Lesson, State, Theft
from ceir.registry.appeals.telling import tell_appellant
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.notices.models import Event
from ceir.registry.pairings.pairing import end_exceptions
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.sweeping import for_each
from ceir.registry.transitions import move


def ask_evidence(appeal_id: int, what: str, *, policy: AppealPolicy, actor: Actor, at: datetime) -> Appeal:
    """Ask who appealed for more; the clock stands still until it comes, for so many days at most.

    Raises:
        AppealError: it was asked for often enough, or the time to decide is over.
        IllegalTransitionError: it is asked for already, or somebody decides.
    """
    require(actor, Permission.APPEAL_EXAMINE)
    what = free_text(what, "What is asked for", 500, needed=True, lines=True)
    with transaction.atomic():
        appeal = locked(appeal_id)
        if appeal.asks >= policy.most_asks:
            raise AppealError(f"Evidence was asked for {appeal.asks} times.", "Decide by what is there.")
        if appeal.decide_by <= at:
            raise AppealError("The time to decide is over.", "Decide by what is there.")
        move(appeal, State.WAITING, TRANSITIONS, named(appeal))
        appeal.asks += 1
        appeal.asked_at, appeal.asked_for = at, what
        appeal.evidence_by = at + timedelta(days=policy.evidence_days)
        appeal.save()
        record(actor, "appeal.evidence_asked", str(appeal), at=at)
        tell_appellant(appeal, Event.APPEAL_EVIDENCE, at)
    return appeal


def recommend(
    appeal_id: int, *, uphold: bool, reason: str, only_him: bool = False, actor: Actor, at: datetime
) -> Proposal:
    """Propose how an appeal is decided; the clock runs on until somebody has.

    Args:
        uphold: true: who appealed is right.
        only_him: the condition holds for the identity, but must not count against who appealed: his phone is
            the true one of a cloned identity, or was bought honestly though somebody else misses it. It works
            with his numbers alone, and the condition was no false positive.

    Raises:
        AppealError: by who made it for somebody else; or for him alone, of an identity that no exception can
            name.
        IllegalTransitionError: evidence is waited for, or it is recommended or decided already.
    """
    require(actor, Permission.APPEAL_EXAMINE)
    with transaction.atomic():
        appeal = locked(appeal_id)
        if same_person(appeal.made_by, actor.id):
            raise AppealError("You made this appeal for somebody.", "Ask a colleague to examine it.")
        if only_him and (not uphold or appeal.malformed):
            raise AppealError(
                "Only an appeal that is upheld, of 14 digits, can be for who made it alone.",
                "Uphold it for everybody with this identity, or dismiss it.",
            )
        move(appeal, State.RECOMMENDED, TRANSITIONS, named(appeal))
        appeal.save()
        kind = (UPHOLD_FOR_HIM if only_him else UPHOLD) if uphold else DISMISS
        return propose(kind, str(appeal), {}, actor=actor, reason=reason, at=at)


def run_clocks(at: datetime) -> int:
    """Let the clocks of all appeals run to a moment.

    Who was asked for evidence and brought none is decided by what is there; about whom nobody decided, his
    device works again. Not where it was reported stolen here: it is overdue then, and first of those that
    wait.

    Returns: how many were restored.
    """
    waited = Q(state=State.WAITING.value, evidence_by__lte=at)
    undecided = Q(
        state__in=(State.OPEN.value, State.RECOMMENDED.value),
        decide_by__lte=at,
        restored_at=None,
        overdue_at=None,
    )
    due = Appeal.objects.filter(waited | undecided)

    def run(key: int) -> bool:
        with transaction.atomic():
            appeal = due.select_for_update().filter(pk=key).first()
            if appeal is None:
                return False
            if appeal.state == State.WAITING.value:
                go_on(appeal, at)
                appeal.save()
            if appeal.decide_by > at:
                return False
            appeal.overdue_at = at
            if appeal.theft == Theft.HERE.value:
                appeal.save()
                record(SYSTEM, "appeal.overdue", str(appeal), at=at, basis="not decided in time")
                return False
            # A clone of the identity must not work because somebody appealed and nobody answered; where no
            # exception reaches networks the identity is the only thing that can be restored.
            whole = appeal.theft == Theft.NONE.value and not has_sim(appeal)
            _restore(appeal, "undecided", at, whole=whole)
            record(SYSTEM, "appeal.restored", str(appeal), at=at, basis="not decided in time",
                   detail={"whole_identity": whole})  # fmt: skip
            tell_appellant(appeal, Event.APPEAL_RESTORED, at)
            return True

    return for_each(list(due.order_by("pk").values_list("pk", flat=True)), run)


def upheld(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed: the condition was wrong about the identity."""
    _uphold(proposal, actor, at, whole=True)


def upheld_for_him(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed: the condition holds, but not against who appealed."""
    _uphold(proposal, actor, at, whole=False)


def _uphold(proposal: Proposal, actor: Actor, at: datetime, *, whole: bool) -> None:
    appeal = locked(proposal.subject_key)
    move(appeal, State.UPHELD, TRANSITIONS, named(appeal))
    _decide(appeal, proposal, at, false_positive=whole)
    _restore(appeal, "upheld", at, whole=whole)
    record(actor, "appeal.upheld", str(appeal), at=at, basis=proposal.reason,
           detail={"whole_identity": whole})  # fmt: skip
    tell_appellant(appeal, Event.APPEAL_UPHELD, at)


def dismissed(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed: the decision stands, and what was restored meanwhile ends."""
    appeal = locked(proposal.subject_key)
    move(appeal, State.DISMISSED, TRANSITIONS, named(appeal))
    _decide(appeal, proposal, at, false_positive=False)
    appeal.save()
    end_exceptions(str(appeal), at=at)
    record(actor, "appeal.dismissed", str(appeal), at=at, basis=proposal.reason)
    tell_appellant(appeal, Event.APPEAL_DISMISSED, at)


def reopened(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person did not agree: it is to be examined again, and the clock ran on."""
    appeal = locked(proposal.subject_key)
    move(appeal, State.OPEN, TRANSITIONS, named(appeal))
    appeal.save()
    record(actor, "appeal.reopened", str(appeal), at=at)


UPHOLD = ProposalKind(
    name="appeal.uphold",
    doc="Decide an appeal for who made it: the condition was wrong about the identity.",
    may_propose=Permission.APPEAL_EXAMINE,
    may_decide=Permission.APPEAL_DECIDE,
    carry_out=upheld,
    turned_down=reopened,
)

UPHOLD_FOR_HIM = ProposalKind(
    name="appeal.uphold_for_him",
    doc="Decide an appeal for who made it, and for nobody else with the identity.",
    may_propose=Permission.APPEAL_EXAMINE,
    may_decide=Permission.APPEAL_DECIDE,
    carry_out=upheld_for_him,
    turned_down=reopened,
)

DISMISS = ProposalKind(
    name="appeal.dismiss",
    doc="Decide an appeal against who made it: the decision stands.",
    may_propose=Permission.APPEAL_EXAMINE,
    may_decide=Permission.APPEAL_DECIDE,
    carry_out=dismissed,
    turned_down=reopened,
)


def _decide(appeal: Appeal, proposal: Proposal, at: datetime, *, false_positive: bool) -> None:
    appeal.decided_at, appeal.reason = at, proposal.reason[:300]
    Lesson.objects.create(
        appeal=appeal,
        imei=appeal.imei,
        malformed=appeal.malformed,
        condition=appeal.condition,
        run=appeal.run,
        false_positive=false_positive,
        learnt_at=at,
    )


def _restore(appeal: Appeal, because: str, at: datetime, *, whole: bool) -> None:
    if appeal.restored_at is None:
        appeal.restored_at, appeal.restored_because = at, because
    appeal.whole_identity = whole
    appeal.save()
    let(appeal, at)
