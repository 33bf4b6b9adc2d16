"""The lists of registered devices, and of whose they are, for the pipeline."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from ceir.registry.exports import Export
from ceir.registry.personal.whole_lists import begin_list
from ceir.registry.registrations.holding import usable
from ceir.registry.registrations.models import LIVING, DutyState, Registration, State
from ceir.registry.subscribers.finding import uid_of

_IN_FORCE = "whitelist"
_WAITING = "pending"
_IMEI = "device__identifiers__imei"


def registrations(at: datetime) -> Iterator[tuple[str, ...]]:
    """Every IMEI of a registered device; what waits for a second person or a payment is pending."""
    rows = (
        _with_imeis(Registration.objects.filter(state__in=LIVING, entered_at__lte=at))
        .order_by(_IMEI)
        .values_list(
            _IMEI,
            "device__manufacturer",
            "device__model",
            "state",
            "duty__state",
            "device__brand",
            "device__device_type",
            "device__radio_interface",
            "device",
            "ends_at",
        )
    )
    for imei, make, model, state, duty, brand, kind, radio, device, over in rows.iterator(chunk_size=5000):
        if over is not None and over <= at:
            continue
        good = state == State.IN_FORCE.value or duty == DutyState.DISPUTED.value
        status = _IN_FORCE if good else _WAITING
        yield (f"{imei:014}", make, model, status, model, brand, kind, radio, str(device))


def associations(at: datetime) -> Iterator[tuple[str, ...]]:
    """Which person declared which device his own.

    An organisation's devices stand with the organisation, and what somebody said is not his with nobody: who
    uses them is not to be cut off for that.
    """
    begin_list("associations", at=at)
    held = _with_imeis(usable(at))
    of_nobody = held.filter(person=None, organisation=None).order_by("pk", _IMEI)
    for key, imei in of_nobody.values_list("pk", _IMEI).iterator(chunk_size=5000):
        yield (f"N-{key:010}", f"{imei:014}")
    of_organisations = held.filter(organisation__isnull=False).order_by("organisation", _IMEI)
    for organisation, imei in of_organisations.values_list("organisation", _IMEI).iterator(chunk_size=5000):
        yield (f"O-{organisation:010}", f"{imei:014}")
    of_people = (
        held.filter(person__isnull=False)
        .annotate(who=Coalesce("person__merged_into", "person"))
        .order_by("who", _IMEI)
    )
    for who, imei in of_people.values_list("who", _IMEI).iterator(chunk_size=5000):
        yield (uid_of(who), f"{imei:014}")


def _with_imeis(registrations: QuerySet[Registration]) -> QuerySet[Registration]:
    """A row for each IMEI that a registered device has."""
    return registrations.filter(device__identifiers__imei__isnull=False, device__identifiers__ended_at=None)


EXPORTS = (
    Export(
        source="registrations",
        doc="Devices registered in the country.",
        header=(
            "approved_imei",
            "make",
            "model",
            "status",
            "model_number",
            "brand_name",
            "device_type",
            "radio_interface",
            "device_id",
        ),
        rows=registrations,
    ),
    Export(
        source="associations",
        doc="Which person or organisation declared which device its own.",
        header=("uid", "imei"),
        rows=associations,
    ),
)
