"""What takes two people here."""

from ceir.registry.appeals.deciding import DISMISS, UPHOLD

KINDS = (UPHOLD, DISMISS)
