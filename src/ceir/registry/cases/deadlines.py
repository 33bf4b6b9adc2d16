"""What the register does to cases by itself as time passes: it gives back, and never blocks."""

from datetime import datetime

from django.db import transaction

from ceir.registry.cases.choosing import forget_offers
from ceir.registry.cases.leaving import lift_provisional
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import locked
from ceir.registry.sweeping import for_each


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
