"""What takes two people here."""

from ceir.registry.pairings.pairing import PAIR, RELEASE

KINDS = (PAIR, RELEASE)
