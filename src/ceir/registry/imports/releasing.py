"""Customs decide: an officer releases what nothing speaks against; anything else takes a second person."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction

from ceir.errors import CeirError
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.free_text import free_text
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.models import RELEASED, Consignment, State
from ceir.registry.imports.reasons import IMEI_REASONS, TAC_REASONS, Reason
from ceir.registry.imports.receiving import subject
from ceir.registry.imports.states import ConsignmentStateError, ConsignmentUnknownError, locked, move

CHECK_LASTS = timedelta(days=7)
"""So old may a check be at release: thefts and first uses go on being reported."""


class SecondPersonNeededError(CeirError):
    """The checks speak against a release: one person alone does not decide it."""

    code: ClassVar[str] = "second_person_needed"


def doubts(consignment: Consignment) -> Mapping[str, int]:
    """What speaks against a release, with how many IMEIs or rows; nothing: one officer may release it."""
    # Explained ones too: else who explains an alarm away could also release alone.
    alarms = consignment.alarms.count()
    listed = consignment.rows + sum(consignment.rejected.values())
    against = {
        **{f"found.{reason}": count for reason, count in consignment.found.items()},
        **{f"rejected.{reason}": count for reason, count in consignment.rejected.items()},
        **{f"not_made.{name}": consignment.rows for name in consignment.not_made},
        "declared_otherwise": abs(consignment.declared - listed),
        "alarms": alarms,
    }
    return {name: count for name, count in sorted(against.items()) if count}


def release(consignment_id: int, *, actor: Actor, at: datetime) -> Consignment:
    """Release a consignment that nothing speaks against.

    Raises:
        PermissionDeniedError: the actor may not.
        ConsignmentStateError: it is not checked, or the check is old.
        SecondPersonNeededError: something speaks against it.
    """
    require(actor, Permission.IMPORT_RELEASE)
    with transaction.atomic():
        consignment = _releasable(consignment_id, at)
        against = doubts(consignment)
        if against:
            raise SecondPersonNeededError(
                "The checks speak against it: "
                + ", ".join(f"{name} {n:,}" for name, n in against.items())
                + ".",
                "Propose the release, with or without what was found; a reviewer decides.",
            )
        _release(consignment, actor, at, {})
    return consignment


def release_without(
    consignment_id: int,
    leave_out: Collection[Reason],
    expected: Mapping[str, Any],
    *,
    asked_by: str,
    actor: Actor,
    at: datetime,
) -> Consignment:
    """Release a consignment that two people decided on. Only for `proposing`.

    What is left out, and what was released with another consignment meanwhile, becomes a consignment of its
    own that waits to be checked.

    Args:
        expected: the doubts that were known when it was proposed.

    Raises:
        ConsignmentStateError: it is not checked, more is known now, or nothing would be left.
    """
    consignment = _releasable(consignment_id, at)
    if dict(expected) != dict(doubts(consignment)):
        raise ConsignmentStateError(
            f"What is known of consignment {consignment.number} changed since it was proposed.",
            "Reject the proposal; customs propose anew.",
        )
    left_out = _leave_out(consignment, leave_out, at)
    _release(consignment, actor, at, {"asked_by": asked_by, "left_out": left_out})
    return consignment


def refuse(consignment_id: int, *, actor: Actor, reason: str, at: datetime) -> Consignment:
    """Refuse a consignment: its list stays, for alarms, and no longer leaves for the pipeline.

    Raises:
        PermissionDeniedError: the actor may not.
        ConsignmentStateError: it was decided already.
    """
    require(actor, Permission.IMPORT_RELEASE)
    why = free_text(reason, "A reason", 500, needed=True)
    with transaction.atomic():
        consignment = locked(consignment_id)
        move(consignment, State.REFUSED)
        consignment.reason, consignment.decided_by = why, actor.id
        consignment.save()
        record(actor, "import.refused", subject(consignment), at=at, basis=why)
    return consignment


def put_on_sale(consignment_id: int, *, actor: Actor, at: datetime) -> Consignment:
    """Say that released goods are on sale.

    Raises:
        PermissionDeniedError: the actor may not, or it is another importer's.
        ConsignmentStateError: it is not released.
    """
    with transaction.atomic():
        consignment = locked(consignment_id)
        require(actor, Permission.IMPORT_SUBMIT, owner=consignment.importer_id)
        move(consignment, State.ON_SALE)
        consignment.on_sale_at = at
        consignment.save()
        record(actor, "import.on_sale", subject(consignment), at=at)
    return consignment


def _releasable(consignment_id: int, at: datetime) -> Consignment:
    """The consignment, locked together with those that share IMEIs with it, always in the same order."""
    peek = Consignment.objects.filter(pk=consignment_id).first()
    if peek is None:
        raise ConsignmentUnknownError(
            f"There is no consignment {consignment_id}.", "List those that there are."
        )
    sharing = findings.others(peek.pk, peek.checked_round)
    held = {
        found.pk: found
        for found in Consignment.objects.select_for_update().filter(pk__in=sharing | {peek.pk}).order_by("pk")
    }
    consignment = held[peek.pk]
    if consignment.state != State.CHECKED.value:
        raise ConsignmentStateError(
            f"Consignment {consignment.number} is {consignment.state}.", "Only what is checked is released."
        )
    if consignment.checked_at is None or at - consignment.checked_at > CHECK_LASTS:
        raise ConsignmentStateError("The check is older than 7 days.", "Have the consignment checked again.")
    if findings.others(consignment.pk, consignment.checked_round) - sharing:
        raise ConsignmentStateError(
            f"Consignment {consignment.number} was just found to share IMEIs.", "Look at it again."
        )
    return consignment


def _release(consignment: Consignment, actor: Actor, at: datetime, more: Mapping[str, Any]) -> None:
    move(consignment, State.RELEASED)
    consignment.released_at, consignment.decided_by = at, actor.id
    consignment.save()
    record(actor, "import.released", subject(consignment), at=at, detail={"rows": consignment.rows, **more})


def _leave_out(consignment: Consignment, reasons: Collection[Reason], at: datetime) -> int:
    round_ = consignment.checked_round
    first = consignment
    while first.held_from is not None:
        first = first.held_from
    earlier = Consignment.objects.filter(
        importer_id=first.importer_id, number__startswith=f"{first.number}/held-"
    ).count()
    held = Consignment(
        importer_id=consignment.importer_id,
        licence_id=consignment.licence_id,
        number=f"{first.number}/held-{earlier + 1}",
        declared=0,
        port=consignment.port,
        customs_reference=consignment.customs_reference,
        held_from=consignment,
        state=State.SUBMITTED.value,
        receiving_since=at,
        submitted_by=consignment.submitted_by,
        submitted_at=consignment.submitted_at,
    )
    held.save(force_insert=True)
    moved = 0
    for reason in TAC_REASONS & set(reasons):
        for tacs in findings.subjects(consignment.pk, round_, reason):
            moved += sum(sealed_lists.hand_over_tac(consignment.pk, held.pk, tac) for tac in tacs)
    for reason in IMEI_REASONS & (set(reasons) | {Reason.ON_ANOTHER}):
        for imeis in findings.subjects(consignment.pk, round_, reason):
            chosen = imeis if reason in reasons else _released_elsewhere(consignment, imeis)
            moved += sealed_lists.hand_over(consignment.pk, held.pk, chosen)
    if moved == 0:
        held.delete()
        return 0
    if moved == consignment.rows:
        raise ConsignmentStateError("Nothing would be left of the consignment.", "Refuse it instead.")
    held.rows = held.declared = moved
    held.save(update_fields=["rows", "declared"])
    consignment.rows -= moved
    return moved


def _released_elsewhere(consignment: Consignment, imeis: list[int]) -> list[int]:
    """IMEIs that customs released with another consignment: nobody releases them twice."""
    rows = [row for row in sealed_lists.which(imeis) if row[1] != consignment.pk]
    released = set(
        Consignment.objects.filter(pk__in={row[1] for row in rows}, state__in=RELEASED).values_list(
            "pk", flat=True
        )
    )
    return sorted({imei for imei, owner, _ in rows if owner in released})
