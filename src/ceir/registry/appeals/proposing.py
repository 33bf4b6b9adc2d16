"""What takes two people here."""

from ceir.registry.appeals.deciding import DISMISS, UPHOLD, UPHOLD_FOR_HIM

KINDS = (UPHOLD, UPHOLD_FOR_HIM, DISMISS)
