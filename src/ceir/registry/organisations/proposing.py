"""What opens an organisation: two people."""

from ceir.registry.organisations.entering import OPEN

KINDS = (OPEN,)
