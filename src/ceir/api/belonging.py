"""Whose the things are that callers ask for."""

from ceir.registry.accounts.permissions import PermissionDeniedError
from ceir.registry.actors import Actor
from ceir.registry.organisations.models import Organisation


def organisation_of(actor: Actor) -> Organisation:
    """The organisation that a caller acts for.

    Raises:
        PermissionDeniedError: for none that is in use.
    """
    found = Organisation.objects.filter(pk=actor.organisation or 0, active=True).first()
    if found is None:
        raise PermissionDeniedError("The caller acts for no organisation in use.", "Ask the administrator.")
    return found
