"""What the register does to cases by itself as time passes: it gives back, and never blocks."""

from datetime import datetime

from django.db import transaction

from ceir.registry.cases.choosing import forget_offers
from ceir.registry.cases.leaving import lift_provisional
from ceir.registry.cases.models import Case
from ceir.registry.cases.moving import locked


def pass_deadlines(at: datetime) -> int:
    """Lift every provisional block whose deadline passed undecided, and forget old offers; done again it does
    nothing.

    A case a transaction; one that somebody decides at this moment is waited for, and left as he decided.

    Returns: blocks lifted.
    """
    lifted = 0
    forget_offers(at)
    for key in Case.objects.filter(provisional_until__lte=at).order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            case = locked(key)
            if case.provisional_until is not None and case.provisional_until <= at:
                lift_provisional(case, at=at)
                lifted += 1
    return lifted
