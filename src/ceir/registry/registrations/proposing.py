"""What takes two people here."""

from ceir.registry.registrations.duties import SETTLEMENT
from ceir.registry.registrations.repairing import WORK_ORDER
from ceir.registry.registrations.submitting import SUBMISSION

KINDS = (SUBMISSION, SETTLEMENT, WORK_ORDER)
