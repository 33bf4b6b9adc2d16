"""Asking whether one IMEI is on a list: the only way that people have to the sealed lists."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import transaction
from django.utils.timezone import localdate

from ceir.errors import CeirError
from ceir.identifiers import Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.audit.models import Entry, Head
from ceir.registry.free_text import free_text
from ceir.registry.imports import findings, sealed_lists
from ceir.registry.imports.models import Consignment, State
from ceir.registry.imports.reasons import Reason

MOST_A_DAY = 500
"""Of one actor: a long day at a border post; who asks more often is looking for something else."""

_ACTION = "import.looked_up"


class LookUpRefusedError(CeirError):
    """A question for an IMEI is not answered."""

    code: ClassVar[str] = "look_up_refused"


@dataclass(frozen=True)
class Consigned:
    """A consignment that lists the IMEI.

    Args:
        reasons: what checks found of it or of its TAC.
    """

    consignment: int
    number: str
    importer: str
    state: State
    released_on: date | None
    reasons: tuple[Reason, ...]


def look_up(
    imei: Imei, *, actor: Actor, basis: str, at: datetime, most_a_day: int = MOST_A_DAY
) -> tuple[Consigned, ...]:
    """The consignments that list an IMEI: none, mostly one. Each question is recorded, whatever the answer.

    Args:
        basis: why: the case, the inspection.
        most_a_day: questions that an actor has in 24 hours.

    Raises:
        PermissionDeniedError: the actor may not.
        TextRefusedError: there is no basis.
        LookUpRefusedError: the actor asked too often.
    """
    require(actor, Permission.IMPORT_LOOK_UP)
    why = free_text(basis, "A basis", 300, needed=True)
    with transaction.atomic():
        # The record has one end, for which all wait: whoever holds it counts all that was asked before.
        Head.objects.select_for_update().get(pk=1)
        earlier = Entry.objects.filter(actor=actor.id, action=_ACTION, at__gt=at - timedelta(days=1))
        asked = earlier.order_by()[:most_a_day].count()
        refused = asked >= most_a_day
        if refused:
            record(actor, "import.look_up_refused", f"imei:{imei}", at=at, basis=why, detail={"asked": asked})
        else:
            answer = _answered(imei, why, actor, at)
    if refused:
        raise LookUpRefusedError(
            f"{asked} IMEIs were asked for within a day.", "Ask a colleague, or go on tomorrow."
        )
    return answer


def _answered(imei: Imei, why: str, actor: Actor, at: datetime) -> tuple[Consigned, ...]:
    with transaction.atomic():
        owners = [owner for _, owner, _ in sealed_lists.rows_of(imei.number)]
        hidden = (State.RECEIVING.value, State.UNREADABLE.value)
        listed = (
            Consignment.objects.filter(pk__in=owners)
            .exclude(state__in=hidden)
            .select_related("importer")
            .order_by("pk")
        )
        answer = tuple(
            Consigned(
                found.pk,
                found.number,
                found.importer.code,
                State(found.state),
                localdate(found.released_at) if found.released_at else None,
                tuple(findings.of_imei(found, imei.number)),
            )
            for found in listed
        )
        record(
            actor, _ACTION, f"imei:{imei}", at=at, basis=why,
            detail={"consignments": [found.consignment for found in answer]},
        )  # fmt: skip
    return answer
