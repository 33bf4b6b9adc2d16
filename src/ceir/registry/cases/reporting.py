"""Reporting a device stolen or lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from ceir.identifiers import Imei, Msisdn, is_placeholder
from ceir.registry.accounts.permissions import Permission, require
from ceir.registry.actors import Actor, Role
from ceir.registry.audit.chain import record
from ceir.registry.cases.blocking import ProvisionalBlock, block_provisionally
from ceir.registry.cases.models import Case, CaseIdentity
from ceir.registry.cases.states import ENDED, CaseError, Loss, Mode, Reporter
from ceir.registry.cases.verifying import require_station
from ceir.registry.free_text import free_text
from ceir.registry.organisations.models import Organisation

MOST_IDENTITIES = 1000
"""Of one case: a burgled shop. More than that comes as several cases."""

_REPORTER_OF = {
    Role.CONSUMER: Reporter.CONSUMER,
    Role.OPERATOR: Reporter.OPERATOR,
    Role.POLICE: Reporter.POLICE,
    Role.OFFICER: Reporter.CONSUMER,  # enters what somebody at the counter says
}


@dataclass(frozen=True)
class Report:
    """What somebody says about a device that he lost.

    Args:
        happened_at: when, as far as he knows.
        place: a town or a district, never an address; at most 200 characters.
        imeis: of the device, as many as it has; none: it is chosen later among those seen with `msisdn`.
        msisdn: the number that was used in it.
        description: what happened, what the device looks like; at most 4,000 characters.
        owner_name: at most 200 characters.
        contact: another number under which the owner can be reached.
        station: key of the police station; None: not known yet.
        police_reference: of the police's file; at most 100 characters.

    Raises:
        CaseError: it names no device and no number, too many devices, or an identity that many devices share.
        TextRefusedError: a text is too long, or holds what nobody sees.
    """

    loss: Loss
    mode: Mode
    happened_at: datetime
    place: str
    imeis: tuple[Imei, ...] = ()
    msisdn: Msisdn | None = None
    description: str = ""
    owner_name: str = ""
    contact: Msisdn | None = None
    station: int | None = None
    police_reference: str = ""

    def __post_init__(self) -> None:
        for name, what, most in (
            ("place", "The place", 200),
            ("owner_name", "The owner's name", 200),
            ("police_reference", "The police reference", 100),
        ):
            kept = free_text(getattr(self, name), what, most, needed=name == "place")
            object.__setattr__(self, name, kept)
        told = free_text(self.description, "The description", 4000, lines=True)
        object.__setattr__(self, "description", told)
        object.__setattr__(self, "imeis", tuple(sorted(set(self.imeis))))
        if self.happened_at.tzinfo is None:
            raise CaseError("The moment does not say of which time zone it is.", "Give it with its offset.")
        if not self.imeis and (self.msisdn is None or not self.msisdn.is_countable):
            raise CaseError("The report names no device.", "Give an IMEI, or the number that was used in it.")
        if len(self.imeis) > MOST_IDENTITIES:
            raise CaseError(
                f"{len(self.imeis)} identities are too many.",
                f"At most {MOST_IDENTITIES} a case; report more cases.",
            )
        for imei in self.imeis:
            require_own_identity(imei)


def require_own_identity(imei: Imei) -> None:
    """Refuse an identity that is no single device's: blocking it would cut off strangers.

    Raises:
        CaseError: it is a filler.
    """
    if is_placeholder(imei):
        raise CaseError(
            f"{imei} is a filler that many devices share.", "Read the IMEI on the box, or dial *#06#."
        )


def report(said: Report, *, actor: Actor, at: datetime, provisional: ProvisionalBlock | None = None) -> Case:
    """Open a case; where the policy has provisional blocks, its devices are blocked at once for a time.

    Args:
        provisional: the policy's provisional blocks; None: it has none.

    Returns: the case; `provisional_until` and `no_provisional_block` say what became of the block.

    Raises:
        PermissionDeniedError: the actor may not report.
        CaseError: it happens in the future, the station is none, or the actor reported the device already.
    """
    require(actor, Permission.CASE_REPORT)
    reporter = _REPORTER_OF.get(actor.acts_as)
    if reporter is None or actor.organisation is None:
        raise CaseError("Only people and programs of organisations report.", "Log in.")
    if said.happened_at > at:
        raise CaseError("The device is said to be lost in the future.", "Look at the date and the time.")
    station = said.station
    if station is not None:
        require_station(station)
    elif reporter is Reporter.POLICE:
        station = actor.organisation
    with transaction.atomic():
        refuse_again(said.imeis, actor)
        case = Case.objects.create(
            loss=said.loss.value,
            mode=said.mode.value,
            reporter=reporter.value,
            reported_by=actor.id,
            organisation=Organisation.objects.get(pk=actor.organisation),
            reported_at=at,
            happened_at=said.happened_at,
            place=said.place,
            police_id=station,
            police_reference=said.police_reference,
            owner_name=said.owner_name or None,
            msisdn=said.msisdn.digits if said.msisdn else None,
            msisdn_key=said.msisdn.digits if said.msisdn else None,
            contact=said.contact.digits if said.contact else None,
            contact_key=said.contact.digits if said.contact else None,
            description=said.description or None,
            changed_at=at,
        )
        CaseIdentity.objects.bulk_create(
            CaseIdentity(case=case, imei=imei.number, proven=False) for imei in said.imeis
        )
        record(
            actor, "case.reported", f"case:{case.pk}", at=at,
            detail={"loss": case.loss, "mode": case.mode, "imeis": [imei.digits for imei in said.imeis]},
        )  # fmt: skip
        if provisional is not None and said.imeis and said.mode is Mode.BLOCK:
            block_provisionally(case, provisional, actor=actor, at=at)
    # What was written in clear is sealed from here on.
    return Case.objects.get(pk=case.pk)


def refuse_again(imeis: Iterable[Imei], actor: Actor, *, besides: int | None = None) -> None:
    """Refuse a device for which the actor has another open case.

    Args:
        besides: the case that is looked at.

    Raises:
        CaseError: there is one.
    """
    again = (
        CaseIdentity.objects.filter(imei__in=[imei.number for imei in imeis], case__reported_by=actor.id)
        .exclude(case__state__in=[state.value for state in ENDED])
        .exclude(case=besides)
        .values_list("case_id", flat=True)
        .first()
    )
    if again is not None:
        raise CaseError(f"You reported this device already: case {again}.", "Add to that case.")
