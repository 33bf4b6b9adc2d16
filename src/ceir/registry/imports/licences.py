"""Licences of importers."""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import transaction
from django.db.models import Q, Sum

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, OrganisationKind
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.imports.models import LIVE, Consignment, Licence
from ceir.registry.organisations.models import Organisation


class LicenceError(CeirError):
    """An importer has no licence for this, or a licence cannot be granted like this."""

    code: ClassVar[str] = "import_licence"


def grant(
    importer: Organisation,
    number: str,
    valid_from: date,
    valid_until: date | None,
    most_a_year: int,
    *,
    actor: Actor,
    at: datetime,
) -> Licence:
    """License an importer.

    Args:
        valid_until: last day; None: open.
        most_a_year: IMEIs that he may list within 365 days.

    Raises:
        PermissionDeniedError: the actor may not.
        LicenceError: no importer, or number or days do not fit.
    """
    require(actor, Permission.IMPORT_LICENSE)
    if importer.kind != OrganisationKind.IMPORTER.value or not importer.active:
        raise LicenceError(
            f"{importer.code} is no importer in use.", "Enter the organisation as an importer."
        )
    if (valid_until is not None and valid_until < valid_from) or not 0 < most_a_year < 2**31:
        raise LicenceError("The days, or the number of IMEIs, make no licence.", "Correct them.")
    number = free_text(number, "A licence's number", 64, needed=True)
    with transaction.atomic():
        licence, made = Licence.objects.get_or_create(
            number=number,
            defaults={
                "importer": importer,
                "valid_from": valid_from,
                "valid_until": valid_until,
                "most_a_year": most_a_year,
                "granted_by": actor.id,
                "granted_at": at,
            },
        )
        if not made:
            raise LicenceError(f"There is a licence {number} already.", "Give it another number.")
        record(actor, "licence.granted", f"licence:{licence.pk}", at=at, detail={"importer": importer.pk})
    return licence


def end(licence_id: int, *, actor: Actor, reason: str, at: datetime) -> None:
    """End a licence; consignments that are submitted go on.

    Raises:
        PermissionDeniedError: the actor may not.
        LicenceError: there is none that has not ended.
    """
    require(actor, Permission.IMPORT_LICENSE)
    why = free_text(reason, "A reason", 500, needed=True)
    with transaction.atomic():
        changed = Licence.objects.filter(pk=licence_id, ended_at__isnull=True).update(
            ended_at=at, ended_because=why
        )
        if not changed:
            raise LicenceError(f"There is no licence {licence_id} to end.", "List those in force.")
        record(actor, "licence.ended", f"licence:{licence_id}", at=at, basis=why)


def in_force(importer: Organisation, day: date) -> Licence:
    """The licence of an importer on a day: of several the one for most.

    Raises:
        LicenceError: he has none, or is out of use.
    """
    found = (
        importer.licences.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gte=day), ended_at__isnull=True, valid_from__lte=day
        )
        .order_by("-most_a_year", "pk")
        .first()
    )
    if found is None or not importer.active:
        raise LicenceError(f"{importer.code} has no licence in force.", "Apply for one at the regulator.")
    return found


def left(licence: Licence, at: datetime) -> int:
    """How many IMEIs the holder may still list; held ones count with the consignment that they came with."""
    listed = Consignment.objects.filter(
        importer_id=licence.importer_id, state__in=LIVE, submitted_at__gt=at - timedelta(days=365)
    ).aggregate(total=Sum("rows"))["total"]
    return max(0, licence.most_a_year - (listed or 0))
