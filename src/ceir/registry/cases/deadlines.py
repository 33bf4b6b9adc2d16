"""What the register does to cases by itself as time passes: it gives back, and never blocks."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ceir.registry.actors import SYSTEM
from ceir.registry.cases.choosing import forget_offers
from ceir.registry.cases.leaving import leave, lift_provisional
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import locked
from ceir.registry.cases.states import Mode, State
from ceir.registry.proposals.models import Proposal
from ceir.registry.proposals.models import State as ProposalState
from ceir.registry.sweeping import for_each

FORGOTTEN = timedelta(days=365)
"""Without anything happening to a case."""


def pass_deadlines(at: datetime) -> int:
    """Lift every provisional block whose deadline passed undecided, and forget old offers; done again it does
    nothing.

    A case a transaction; one that somebody decides at this moment is waited for, and left as he decided.

    Returns: blocks lifted.
    """

    def lift(key: int) -> bool:
        with transaction.atomic():
            case = locked(key)
            if case.provisional_until is None or case.provisional_until > at:
                return False
            lift_provisional(case, at=at)
            return True

    forget_offers(at)
    over = Case.objects.filter(provisional_until__lte=at).order_by("pk")
    return for_each(list(over.values_list("pk", flat=True)), lift)


def close_forgotten(at: datetime, *, after: timedelta = FORGOTTEN) -> int:
    """Close cases that nothing happened to for so long: reports that nobody verified or blocked are rejected,
    recovered devices that nobody said were given back count as restored.

    Why: only what has ended is shredded in time. Nothing that blocks, waits for a second person, or is looked
    for in recovery mode is touched; whoever reported can report again.

    Returns: how many were closed.
    """
    still = Case.objects.filter(changed_at__lte=at - after, provisional_until=None)
    undecided = Q(state=State.REPORTED.value) | Q(state=State.VERIFIED.value, mode=Mode.BLOCK.value)
    forgotten = still.filter(undecided | Q(state=State.RECOVERED.value))

    def close(key: int) -> bool:
        with transaction.atomic():
            case = forgotten.select_for_update().filter(pk=key).first()
            if case is None or _is_proposed(case):
                return False
            to = State.RESTORED if case.state == State.RECOVERED.value else State.REJECTED
            leave(case, to, actor=SYSTEM, at=at, reason=f"Nothing happened for {after.days} days.")
            return True

    return for_each(list(forgotten.order_by("pk").values_list("pk", flat=True)), close)


def _is_proposed(case: Case) -> bool:
    waiting = Proposal.objects.filter(subject=f"case:{case.pk}", state=ProposalState.OPEN.value)
    return waiting.exists()
