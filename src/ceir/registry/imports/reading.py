"""Consignments as people see them: what goods, where they stand, what was found; never their IMEIs."""

from collections.abc import Mapping

from django.db.models import QuerySet

from ceir.registry.accounts.permissions import RULES, Permission, require
from ceir.registry.actors import Actor
from ceir.registry.imports.models import Consignment
from ceir.registry.imports.reasons import MEANINGS, Reason


def visible(actor: Actor) -> QuerySet[Consignment]:
    """The consignments that an actor may see: an importer his own.

    Raises:
        PermissionDeniedError: the actor may see none.
    """
    require(actor, Permission.IMPORT_READ)
    every = Consignment.objects.select_related("importer")
    return every.filter(importer_id=actor.organisation) if _own_only(actor) else every


def found_shown(consignment: Consignment, *, actor: Actor) -> Mapping[str, int]:
    """How many IMEIs something was found of, by reason, as far as the actor is told.

    Raises:
        PermissionDeniedError: the actor may not see this consignment.
    """
    require(actor, Permission.IMPORT_READ, owner=consignment.importer_id)
    return {
        name: count
        for name, count in sorted(consignment.found.items())
        if MEANINGS[Reason(name)].told or not _own_only(actor)
    }


def _own_only(actor: Actor) -> bool:
    return actor.acts_as in RULES[Permission.IMPORT_READ].own
