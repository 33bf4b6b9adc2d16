"""A report by number only: the devices seen with the number are offered to whoever proves to hold it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.timezone import localdate

from ceir.identifiers import Imei, Msisdn, is_placeholder
from ceir.registry.accounts.permissions import Permission
from ceir.registry.actors import Actor
from ceir.registry.audit.chain import record
from ceir.registry.cases.blocking import ProvisionalBlock, block_provisionally
from ceir.registry.cases.models import Case, CaseIdentity, Offer
from ceir.registry.cases.moving import locked, require_for, save
from ceir.registry.cases.reporting import MOST_IDENTITIES, refuse_again
from ceir.registry.cases.states import CaseError, Mode, State
from ceir.registry.codes.allowing import Limits
from ceir.registry.codes.drawing import Draw
from ceir.registry.codes.models import Purpose
from ceir.registry.codes.proving import Issued, issue, verify
from ceir.registry.personal.fields import keys

SHOWN_DIGITS = 4
"""Of the 15 on the box: enough to know one's own, too few to learn a stranger's."""

_CHOSEN_WITHIN = timedelta(minutes=30)
_MOST_OFFERED = 50


@dataclass(frozen=True)
class SeenDevice:
    """A device as the observations of networks know it.

    Args:
        seen_on: the last day on which it was used with the number.
    """

    imei: Imei
    make: str
    model: str
    seen_on: date


@dataclass(frozen=True)
class OfferedDevice:
    """A device as its owner is asked about it.

    Args:
        number: what it is chosen by.
        last_digits: of the 15 digits on the box.
    """

    number: int
    make: str
    model: str
    last_digits: str


def ask_for_code(
    case_id: int,
    msisdn: Msisdn,
    *,
    draw: Draw,
    actor: Actor,
    at: datetime,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Issued:
    """Make a code that proves the number of a case; the caller has it sent there.

    Raises:
        PermissionDeniedError: it is not the actor's case.
        CaseError: the case has another number, or its devices cannot be chosen any more.
        TooManyCodesError: for the number, or from the actor.
    """
    with transaction.atomic():
        _require_choosing(locked(case_id), msisdn, actor)
    return issue(
        Purpose.CASE, msisdn, subject=f"case:{case_id}", draw=draw, actor=actor, at=at, limits=limits
    )


def offer_devices(
    msisdn: Msisdn,
    code: str,
    *,
    case_id: int,
    seen_with: Callable[[Msisdn], Iterable[SeenDevice]],
    actor: Actor,
    at: datetime,
    seen_days: int = 90,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> tuple[OfferedDevice, ...]:
    """Show the devices seen with a number to whoever proves to hold it.

    Args:
        code: as typed.
        seen_with: the devices that networks saw with a number.
        seen_days: a device last seen longer ago is not shown: a number may have had another holder. Neither
            is an identity that many devices share.

    Returns: at most 50, the latest first.

    Raises:
        PermissionDeniedError: it is not the actor's case.
        CaseError: the case has another number, or its devices cannot be chosen any more.
        CodeError, TooManyCodesError: the code does not count.
        RuntimeError: within another transaction, whose failure would give a wrong try back.
    """
    with transaction.atomic(durable=True):
        _require_choosing(locked(case_id), msisdn, actor)
    verify(Purpose.CASE, msisdn, code, subject=f"case:{case_id}", actor=actor, at=at, limits=limits)
    since = localdate(at) - timedelta(days=seen_days)
    seen = sorted(
        (d for d in seen_with(msisdn) if d.seen_on >= since and not is_placeholder(d.imei)),
        key=lambda d: d.seen_on,
        reverse=True,
    )
    with transaction.atomic():
        case = locked(case_id)
        _require_choosing(case, msisdn, actor)
        case.number_proven_at = at
        case.offers.all().delete()
        offers = Offer.objects.bulk_create(
            Offer(
                case=case,
                number=number,
                imei=device.imei.number,
                make=device.make[:200],
                model=device.model[:200],
                expires_at=at + _CHOSEN_WITHIN,
            )
            for number, device in enumerate(_each_once(seen)[:_MOST_OFFERED], start=1)
        )
        save(case, at)
        record(actor, "case.devices_offered", f"case:{case.pk}", at=at, detail={"devices": len(offers)})
    return tuple(_shown(offer) for offer in offers)


def choose_devices(
    case_id: int,
    numbers: Iterable[int],
    *,
    actor: Actor,
    at: datetime,
    provisional: ProvisionalBlock | None = None,
) -> Case:
    """Say which of the devices offered was lost.

    Args:
        numbers: of the offers; one device may have several identities and so several offers.
        provisional: as for `report`.

    Raises:
        PermissionDeniedError: it is not the actor's case.
        CaseError: none or something else was chosen, or the offer is too old or was taken already.
    """
    chosen = set(numbers)
    with transaction.atomic():
        case = locked(case_id)
        _require_open(case, actor)
        offers = [o for o in case.offers.all() if o.number in chosen and o.expires_at > at]
        if not chosen or len(offers) != len(chosen):
            raise CaseError("This is not one of the devices offered, or no longer.", "Ask for a new code.")
        refuse_again((Imei.from_number(offer.imei) for offer in offers), actor, besides=case.pk)
        there = set(case.identities.values_list("imei", flat=True))
        fresh = {offer.imei for offer in offers} - there
        if len(there) + len(fresh) > MOST_IDENTITIES:
            raise CaseError("These are too many identities.", f"At most {MOST_IDENTITIES} a case.")
        case.identities.filter(imei__in=[offer.imei for offer in offers]).update(proven=True)
        CaseIdentity.objects.bulk_create(
            CaseIdentity(case=case, imei=number, proven=True) for number in sorted(fresh)
        )
        case.offers.all().delete()
        record(
            actor, "case.devices_chosen", f"case:{case.pk}", at=at,
            detail={"imeis": [f"{number:014}" for number in sorted(fresh)]},
        )  # fmt: skip
        if provisional is not None and case.mode == Mode.BLOCK.value and case.provisional_from is None:
            block_provisionally(case, provisional, actor=actor, at=at)
    return case


def forget_offers(at: datetime) -> int:
    """Delete offers that nobody chose from in time. Returns: how many."""
    return Offer.objects.filter(expires_at__lte=at).delete()[0]


def _require_open(case: Case, actor: Actor) -> None:
    require_for(actor, Permission.CASE_AMEND, case)
    if case.state != State.REPORTED.value:
        raise CaseError(
            f"The case is {case.state}: its devices stand.", "Report another device as another case."
        )


def _require_choosing(case: Case, msisdn: Msisdn, actor: Actor) -> None:
    _require_open(case, actor)
    if case.msisdn_key is None or bytes(case.msisdn_key) != keys().keyed("msisdn", msisdn.digits):
        raise CaseError("The case was reported with another number.", "Type the number of the report.")


def _each_once(devices: Iterable[SeenDevice]) -> list[SeenDevice]:
    return list({device.imei: device for device in reversed(list(devices))}.values())[::-1]


def _shown(offer: Offer) -> OfferedDevice:
    printed = Imei.from_number(offer.imei).printed
    return OfferedDevice(offer.number, offer.make, offer.model, printed[-SHOWN_DIGITS:])
