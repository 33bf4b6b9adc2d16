"""Repairs that change what identifies a device: the shop signs a work order, the holder agrees to it."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from django.db import IntegrityError, transaction

from ceir.errors import CeirError
from ceir.identifiers import Eid, Imei
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Proof, check, use
from ceir.registry.devices import identifying
from ceir.registry.devices.entering import (
    device_of,
    imeis_of,
    living_bearers,
    replace_identifiers,
    retire,
)
from ceir.registry.devices.identifying import Identifiers, Strictness
from ceir.registry.devices.models import Device
from ceir.registry.free_text import free_text
from ceir.registry.proposals.deciding import ProposalKind, propose
from ceir.registry.proposals.models import Proposal
from ceir.registry.registrations.ending import holds, not_yours
from ceir.registry.registrations.holding import registration_of
from ceir.registry.registrations.models import WORK_TRANSITIONS, Kind, WorkOrder, WorkState
from ceir.registry.registrations.registering import Surroundings
from ceir.registry.standing import standings
from ceir.registry.transitions import move


class WorkOrderError(CeirError):
    """The repair cannot be entered as it is described."""

    code: ClassVar[str] = "work_order_refused"


@dataclass(frozen=True)
class Work:
    """What a shop did.

    Args:
        device: an IMEI that the device has now.
        retired: IMEIs that it has no more.
        bound: what identifies it instead; all its IMEIs, old ones too, must be of one model.
        reference: the shop's number of the order, once each.
        what: what was done and why, for whoever looks into it.
    """

    device: Imei
    retired: tuple[Imei, ...]
    bound: Identifiers
    reference: str
    what: str

    @property
    def signed_text(self) -> bytes:
        """What is signed: canonical JSON."""
        fields: list[object] = [
            self.device.digits,
            [imei.digits for imei in self.retired],
            _as_json(self.bound),
            self.reference,
            self.what,
        ]
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(
    work: Work,
    *,
    consent: Proof | None,
    asks: Surroundings,
    strictness: Strictness = Strictness(),  # noqa: B008 - frozen
    actor: Actor,
    at: datetime,
) -> WorkOrder:
    """A shop signs what it did; old identifiers are retired and the new ones bound.

    Why the holder agrees: a shop that could move any registration to another IMEI could cut a stranger's
    phone off, and give a stolen one its place. Where nobody can agree (an organisation's device), or
    something is or ever was held against an IMEI that comes or goes, a second person decides.

    Args:
        consent: of the holder's number, for `Purpose.REPAIR`, asked for by the shop.

    Returns: done, or proposed.

    Raises:
        NotYoursError: no device with this IMEI is registered for who agrees.
        WorkOrderError: this reference was used, another order of the device waits, or an IMEI is stolen or
            lost.
        IdentifiersRefusedError, IdentifierTakenError: as they say.
    """
    require(actor, Permission.REPAIR_SIGN, owner=actor.organisation)
    work = Work(
        work.device,
        work.retired,
        work.bound,
        free_text(work.reference, "The order's number", 64, needed=True),
        free_text(work.what, "What was done", 500, needed=True, lines=True),
    )
    if consent is not None:
        check(consent, Purpose.REPAIR, actor=actor, at=at)
    try:
        with transaction.atomic():
            return _signed(work, consent, asks, strictness, actor, at)
    except IntegrityError as error:
        raise WorkOrderError(
            "This order was signed before, or another one of the device waits.",
            "Look at the orders of this device.",
        ) from error


def accepted(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person agreed."""
    order, device = _locked(proposal)
    bound = order.bound
    _do(order, device, [Imei(text) for text in order.retired], _from_json(bound), at)
    record(actor, "work_order.done", str(order), at=at)


def given_up(proposal: Proposal, actor: Actor, at: datetime) -> None:
    """The second person did not agree: everything stays as it was."""
    order, _ = _locked(proposal)
    move(order, WorkState.REFUSED, WORK_TRANSITIONS, str(order).replace(":", " "))
    order.save()
    record(actor, "work_order.refused", str(order), at=at)


WORK_ORDER = ProposalKind(
    name="repair.accept",
    doc="Bind an IMEI that was listed before to a repaired device, or change an organisation's device.",
    may_propose=Permission.REPAIR_SIGN,
    may_decide=Permission.PROPOSAL_DECIDE,
    carry_out=accepted,
    turned_down=given_up,
)


def _signed(
    work: Work, consent: Proof | None, asks: Surroundings, strictness: Strictness, actor: Actor, at: datetime
) -> WorkOrder:
    device = device_of(work.device, lock=True)
    registration = registration_of(device, lock=True)
    if registration is None or (consent is not None and not holds(registration, consent, actor)):
        raise not_yours()
    if consent is None and registration.person_id is not None:
        raise WorkOrderError(
            "Whoever holds the device has not agreed.", "Ask for a code to the holder's number, and enter it."
        )
    now = imeis_of(device)
    stay = tuple(imei for imei in now if imei not in work.retired)
    lenient = Strictness(
        unknown_models=strictness.unknown_models, test_identities=registration.kind == Kind.TEST.value
    )
    identifying.check(Identifiers((*stay, *work.bound.imeis)), asks.model_of, lenient)
    _check_same_model(now, work.bound, asks)
    found = standings((*work.retired, *work.bound.imeis), asks.standing_of)
    if any(standing.missing for standing in found.values()):
        raise WorkOrderError(
            "One of the IMEIs is reported stolen or lost.", "Keep the board, and tell the police."
        )
    doubtful = any(standing.listed or standing.ever_listed for standing in found.values())
    order = WorkOrder.objects.create(
        device=device,
        shop_id=_shop(actor),
        reference=work.reference,
        what=work.what,
        retired=[imei.digits for imei in work.retired],
        bound=_as_json(work.bound),
        digest=sha256(work.signed_text).digest(),
        state=WorkState.PROPOSED.value,
        signed_by=actor.id,
        signed_at=at,
    )
    alone = consent is not None and not doubtful
    if alone:
        _do(order, device, work.retired, work.bound, at)
    if consent is not None:
        use(consent, Purpose.REPAIR, actor=actor, at=at)
    record(
        actor,
        "work_order.done" if alone else "work_order.signed",
        str(order),
        at=at,
        detail={"device": str(device), "digest": order.digest.hex()},
    )
    if not alone:
        propose(WORK_ORDER, str(order), {}, actor=actor, reason=f"work order {work.reference}", at=at)
    return order


def _check_same_model(now: Collection[Imei], bound: Identifiers, asks: Surroundings) -> None:
    """A board goes into a device of its own model, also when every IMEI changes."""
    before = [asks.model_of(imei.tac) for imei in now]
    after = [asks.model_of(imei.tac) for imei in bound.imeis]
    same_tacs = {imei.tac for imei in bound.imeis} <= {imei.tac for imei in now}
    pairs = [(b, a) for b in before for a in after]
    if not same_tacs and not all(b is not None and a is not None and b.same_as(a) for b, a in pairs):
        raise WorkOrderError(
            "The new IMEI is of another model than the device.", "Compare the board with the device."
        )


def _do(
    order: WorkOrder, device: Device, retired: Collection[Imei], bound: Identifiers, at: datetime
) -> None:
    for donor in living_bearers(bound, None):
        if donor.pk != device.pk and registration_of(donor) is None:
            retire([donor.pk], because=str(order), at=at)
    replace_identifiers(device, retired, bound, because=str(order), at=at)
    move(order, WorkState.DONE, WORK_TRANSITIONS, str(order).replace(":", " "))
    order.done_at = at
    order.save()


def _shop(actor: Actor) -> int:
    if actor.organisation is None:
        raise WorkOrderError("Only a shop signs work orders.", "Sign in as one of its people.")
    return actor.organisation


def _locked(proposal: Proposal) -> tuple[WorkOrder, Device]:
    """The device first, as everywhere."""
    key = proposal.subject_key
    device_key = WorkOrder.objects.values_list("device", flat=True).get(pk=key)
    device = Device.objects.select_for_update().get(pk=device_key)
    return WorkOrder.objects.select_for_update().get(pk=key), device


def _as_json(bound: Identifiers) -> dict[str, Any]:
    return {
        "imeis": [imei.digits for imei in bound.imeis],
        "eid": bound.eid.digits if bound.eid else "",
        "serial": bound.serial,
    }


def _from_json(bound: dict[str, Any]) -> Identifiers:
    imeis = tuple(Imei(text) for text in bound["imeis"])
    return Identifiers(imeis, Eid(bound["eid"]) if bound["eid"] else None, bound["serial"])
