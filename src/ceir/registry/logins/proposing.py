"""What lets somebody come in otherwise than before: two people."""

from ceir.registry.logins.identities import LINK
from ceir.registry.logins.second_factor import RESET

KINDS = (RESET, LINK)
